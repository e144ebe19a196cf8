create table users (name text not null);
insert into users values ('ada');
