/* The floor of a container start: the same clone, mounts, veth and exec that mayfly does, and nothing around them.
 *
 *   floor LOWERDIR SCRATCH BRIDGE COMMAND...
 *
 * For each line on stdin it starts COMMAND once and prints the microseconds from clone to the success of execve, then
 * kills it. LOWERDIR is an unpacked root file system, SCRATCH an empty directory, BRIDGE an existing bridge. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(int ok, const char *what) {
  if (ok) return;
  perror(what);
  _exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* --- netlink: just enough to build one message and read its verdict --- */

static _Alignas(8) char message[1024];
static struct nlmsghdr *header = (void *)message;

static void begin(int type, int flags, const void *body, size_t size) {
  memset(message, 0, sizeof message);
  header->nlmsg_len = NLMSG_LENGTH(size);
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  memcpy(NLMSG_DATA(header), body, size);
}

static struct rtattr *attribute(int type, const void *value, size_t size) {
  struct rtattr *at = (void *)(message + NLMSG_ALIGN(header->nlmsg_len));
  at->rta_type = type;
  at->rta_len = RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(at), value, size);
  header->nlmsg_len = NLMSG_ALIGN(header->nlmsg_len) + RTA_ALIGN(at->rta_len);
  return at;
}

static void close_nest(struct rtattr *nest) { nest->rta_len = message + header->nlmsg_len - (char *)nest; }

static void exchange(int fd, const char *what) {
  must(send(fd, message, header->nlmsg_len, 0) > 0, what);
  must(recv(fd, message, sizeof message, 0) > 0, what);
  errno = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
  must(errno == 0, what);
}

static void make_veth(int host_socket, int bridge, int serial) {
  int off = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
  must(write(off, "1", 1) == 1, "disable_ipv6");
  close(off);
  int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  char name[IFNAMSIZ];
  begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  attribute(IFLA_IFNAME, name, snprintf(name, sizeof name, "mffloor%d", serial) + 1);
  attribute(IFLA_MASTER, &bridge, sizeof bridge);
  struct rtattr *info = attribute(IFLA_LINKINFO, 0, 0);
  attribute(IFLA_INFO_KIND, "veth", 5);
  struct rtattr *data = attribute(IFLA_INFO_DATA, 0, 0);
  /* A peer cannot be born up: veth_open wants both ends to know each other. */
  struct ifinfomsg peer = {.ifi_index = 2};
  struct rtattr *nest = attribute(VETH_INFO_PEER, &peer, sizeof peer);
  attribute(IFLA_IFNAME, "eth0", 5);
  attribute(IFLA_NET_NS_FD, &netns, sizeof netns);
  close_nest(nest);
  close_nest(data);
  close_nest(info);
  exchange(host_socket, "veth");

  int own = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct ifinfomsg loopback = {.ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  begin(RTM_NEWLINK, 0, &loopback, sizeof loopback);
  exchange(own, "loopback");
  struct ifinfomsg eth0 = {.ifi_index = 2, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  begin(RTM_NEWLINK, 0, &eth0, sizeof eth0);
  exchange(own, "eth0");
  unsigned char address[4] = {10, 63, 0, 2}, gateway[4] = {10, 63, 0, 1};
  struct ifaddrmsg to = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 2};
  begin(RTM_NEWADDR, NLM_F_CREATE, &to, sizeof to);
  attribute(IFA_LOCAL, address, 4);
  attribute(IFA_ADDRESS, address, 4);
  exchange(own, "address");
  struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                        .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
  begin(RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
  attribute(RTA_GATEWAY, gateway, 4);
  exchange(own, "route");
}

/* --- mounts --- */

static void on(const char *type, const char *target, unsigned long flags, const char *data) {
  if (mount(type, target, type, flags, data) != 0) {
    fprintf(stderr, "mount %s on %s: %s\n", type, target, strerror(errno));
    _exit(1);
  }
}

static void cover(const char *target, const char *source, unsigned long flags) {
  if (access(target, F_OK) != 0) return;
  must(mount(source, target, 0, MS_BIND, 0) == 0, target);
  if (flags) must(mount(0, target, 0, MS_REMOUNT | MS_BIND | flags, 0) == 0, target);
}

static void make_rootfs(const char *lower, const char *scratch, int serial) {
  char upper[512], work[512], root[512], data[2048];
  snprintf(upper, sizeof upper, "%s/upper%d", scratch, serial);
  snprintf(work, sizeof work, "%s/work%d", scratch, serial);
  snprintf(root, sizeof root, "%s/root", scratch);
  snprintf(data, sizeof data, "lowerdir=%s,upperdir=%s,workdir=%s,volatile", lower, upper, work);
  must(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) == 0, "private");
  on("overlay", root, 0, data);
  must(chdir(root) == 0, "chdir");
  const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  on("proc", "proc", safe, 0);
  on("sysfs", "sys", safe | MS_RDONLY, 0);
  on("tmpfs", "sys/fs/cgroup", safe, "mode=755");
  mkdir("sys/fs/cgroup/unified", 0755);
  on("cgroup2", "sys/fs/cgroup/unified", safe | MS_RDONLY, 0);
  static const char *const v1[] = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"};
  for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++) {
    char path[64], host[64];
    snprintf(host, sizeof host, "/sys/fs/cgroup/%s", v1[i]);
    if (access(host, F_OK) != 0) continue;
    snprintf(path, sizeof path, "sys/fs/cgroup/%s", v1[i]);
    mkdir(path, 0755);
    on("cgroup", path, safe | MS_RDONLY, v1[i]);
  }
  on("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  static const struct { const char *name; int major, minor; } nodes[] = {
      {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  for (size_t i = 0; i < 6; i++) mknod(nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor));
  symlink("pts/ptmx", "dev/ptmx");
  symlink("/proc/self/fd", "dev/fd");
  symlink("/proc/self/fd/0", "dev/stdin");
  symlink("/proc/self/fd/1", "dev/stdout");
  symlink("/proc/self/fd/2", "dev/stderr");
  mkdir("dev/pts", 0755);
  mkdir("dev/mqueue", 0755);
  mkdir("dev/shm", 0755);
  on("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  on("mqueue", "dev/mqueue", safe, 0);
  on("tmpfs", "dev/shm", safe, "mode=1777,size=67108864");
  cover("etc/hosts", "/etc/hosts", 0);
  cover("etc/hostname", "/etc/hosts", 0);
  cover("etc/resolv.conf", "/etc/hosts", 0);
  on("tmpfs", "sys/firmware", MS_RDONLY, "size=0");
  static const char *const files[] = {"proc/interrupts", "proc/kcore", "proc/keys", "proc/timer_list"};
  for (size_t i = 0; i < 4; i++) cover(files[i], "dev/null", 0);
  cover("proc/acpi", "sys/firmware", 0);
  static const char *const fixed[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  for (size_t i = 0; i < 5; i++) cover(fixed[i], fixed[i], MS_RDONLY | safe);
  sethostname("floor", 5);
  must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
  must(umount2(".", MNT_DETACH) == 0, "umount");
  must(chdir("/") == 0, "chdir /");
}

int main(int argc, char **argv) {
  must(argc > 4, "usage: floor LOWERDIR SCRATCH BRIDGE COMMAND...");
  int bridge = (int)if_nametoindex(argv[3]);
  char line[16], path[512];
  snprintf(path, sizeof path, "%s/root", argv[2]);
  mkdir(path, 0755);
  for (int serial = 0; fgets(line, sizeof line, stdin); serial++) {
    int told[2];
    must(pipe2(told, O_CLOEXEC) == 0, "pipe");
    snprintf(path, sizeof path, "%s/upper%d", argv[2], serial);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/work%d", argv[2], serial);
    mkdir(path, 0755);
    double start = now();
    int host_socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct clone_args { unsigned long long flags, pidfd, child, parent, signal, rest[6]; } args = {
        .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, .signal = SIGCHLD};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    must(child >= 0, "clone3");
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      must(unshare(CLONE_NEWCGROUP) == 0, "cgroup namespace");
      make_veth(host_socket, bridge, serial % 1000);
      make_rootfs(argv[1], argv[2], serial);
      execvp(argv[4], argv + 4);
      perror(argv[4]);
      _exit(1);
    }
    close(told[1]);
    char byte;
    long got = read(told[0], &byte, 1);
    double end = now();
    must(got == 0, "exec");
    close(told[0]);
    close(host_socket);
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
    /* Only now, so that whoever takes turns with us is not slowed by what we take down. */
    printf("%.1f\n", end - start);
    fflush(stdout);
  }
  return 0;
}
