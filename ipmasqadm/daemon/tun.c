#include "lane.h"
const struct datapath_kind tun_kind;
