// SPDX-License-Identifier: GPL-2.0-or-later
/* portfw beside the plugin that a test brings along: its one symbol by another name. */
#include <ipmasq/plugin.h>

extern const struct ipmasq_plugin ipmasq_plugin __asm__("portfw_too");

#include "../../plugins/portfw.c"
