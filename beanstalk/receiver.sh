#!/bin/bash
# On an instance of Elastic Beanstalk: the container's program with this environment's settings. Managed by proxyflip.
set -eu
set -a
# shellcheck source=/dev/null
. /etc/proxyflip/beanstalk.env
set +a
exec /usr/share/proxyflip/container/entrypoint.sh "$@"
