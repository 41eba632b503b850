#!/bin/bash
# Behind a deployment: where the environment property PROXYFLIP_MODE is `proxy`, a PROXY line is required as soon as no connection has come
# without one for a minute. Beanstalk is not kept waiting: it may set the policy only when every instance has been deployed to.
# Without the property, and until then, either kind is taken, and no address is believed. Managed by proxyflip.
set -euo pipefail
wanted=$(/opt/elasticbeanstalk/bin/get-config environment -k PROXYFLIP_MODE 2>/dev/null || true)
if [ "$wanted" = proxy ]; then
  quiet=$(/opt/elasticbeanstalk/bin/get-config environment -k PROXYFLIP_QUIET_SECONDS 2>/dev/null || true)
  systemd-run --quiet --collect --unit=proxyflip-settle /usr/local/bin/receiver mode proxy --quiet "${quiet:-60}"
fi
