#!/bin/bash
# Beanstalk's nginx.conf has 1,024 connections for each worker, and a WebSocket takes two. It is in the staging directory now, and becomes
# nginx's own behind this. Managed by proxyflip.
set -euo pipefail
staged=/var/proxy/staging/nginx/nginx.conf
if [ -e "$staged" ]; then sed -i -E 's/^( *worker_connections) .*/\1 16384;/' "$staged"; fi
