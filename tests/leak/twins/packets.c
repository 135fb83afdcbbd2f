// SPDX-License-Identifier: GPL-2.0-only
/*
 * packets.c - twins below which the kernel handles packets, in a softirq on top of the module.
 */
#include <linux/in.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "twin.h"

#define PORT	7777		/* of listener.c */

static void *mine;

/* ---- a packet, which is cut from a page that serves more of them ---- */

static struct sk_buff *packet;

TAKE take_packet(void)
{
	packet = netdev_alloc_skb(NULL, 1000);
	return packet ? 0 : -ENOMEM;
}

GIVE give_packet(void) { if (!leak) kfree_skb(packet); }

/* ---- a connection, whose other end is made in a softirq and stays with who listens ---- */

TAKE take_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct socket *socket;
	int err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, 0, &socket);

	if (err)
		return err;
	sock_no_linger(socket->sk);	/* our end goes at once, and not by a timer */
	err = kernel_connect(socket, (void *)&to, sizeof(to), 0);
	sock_release(socket);
	if (err)
		return err;
	mine = kmalloc(230, GFP_KERNEL);
	return mine ? 0 : -ENOMEM;
}

GIVE give_connect(void) { if (!leak) kfree(mine); }

const struct twin packets[] = { TWIN(packet), TWIN(connect) };
const size_t npackets = ARRAY_SIZE(packets);
