#!/bin/bash
# Before a deployment changes anything here: from now on connections are taken with and without a PROXY line, so that it does not
# matter when Beanstalk sets or removes the policy. The first deployment starts the receiver, which begins so. Managed by proxyflip.
set -euo pipefail
systemctl daemon-reload
systemctl stop proxyflip-settle.service 2>/dev/null || true
systemctl enable --quiet --now proxyflip.service
for _ in $(seq 50); do
  if /usr/local/bin/receiver health 2>/dev/null; then break; fi
  sleep 0.2
done
/usr/local/bin/receiver mode both
