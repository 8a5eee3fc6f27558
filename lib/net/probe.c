#include <sys/wait.h>

#include "net/probe.h"

#include "base/kernel.h"
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct nfgenmsg nf;
	};
	char attributes[64];
};

/* Sends the message and returns the kernel's error (0: none), also when it answers with data. */
static int ask(int protocol, struct request *q)
{
	union {
		struct nlmsghdr head;
		char bytes[2048];
	} answer;
	struct nlmsgerr *error = NLMSG_DATA(&answer.head);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = kernel_result(send(fd, q, q->head.nlmsg_len, 0));
	if (n >= 0)
		n = kernel_result(recv(fd, &answer, sizeof answer, 0));
	close(fd);
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)NLMSG_LENGTH(0))
		return -EBADMSG;
	if (answer.head.nlmsg_type != NLMSG_ERROR)
		return 0;
	return n < (ssize_t)NLMSG_LENGTH(sizeof *error) ? -EBADMSG : error->error;
}

static int ask_link(const void *kind)
{
	struct request q = {
		.head = { .nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
	};
	size_t len = strlen(kind);
	struct rtattr *info = (struct rtattr *)q.attributes, *name = (struct rtattr *)(q.attributes + RTA_LENGTH(0));

	if (len > 16)
		return -EINVAL;
	*name = (struct rtattr){ .rta_type = IFLA_INFO_KIND, .rta_len = (unsigned short)RTA_LENGTH(len) };
	memcpy(RTA_DATA(name), kind, len);
	*info = (struct rtattr){ .rta_type = IFLA_LINKINFO, .rta_len = (unsigned short)RTA_LENGTH(RTA_ALIGN(name->rta_len)) };
	q.head.nlmsg_len = NLMSG_LENGTH(sizeof q.link) + info->rta_len;
	return ask(NETLINK_ROUTE, &q);
}

static int ask_nftables(const void *unused)
{
	struct request q = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof q.nf),
			.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.nf = { .version = NFNETLINK_V0 },
	};

	(void)unused;
	return ask(NETLINK_NETFILTER, &q);
}

/* Runs QUESTION in a child with a network namespace of its own and returns its answer, -errno. */
static int in_new_net(int (*question)(const void *), const void *arg)
{
	int status, r;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		r = unshare(CLONE_NEWNET) < 0 ? -errno : question(arg);
		_exit(r < -255 ? 255 : -r); /* errno values end at 133 */
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int probe_link_kind(const char *kind)
{
	int r = in_new_net(ask_link, kind);

	return r == -EPERM ? r : r != -EOPNOTSUPP;
}

int probe_nftables(void)
{
	int r = in_new_net(ask_nftables, NULL);

	return r == -EPERM ? r : r == 0;
}
