#!/bin/sh
# What `xshare apply` would do by a plan of repository acme-data, commit
# 0123456789abcdef0123456789abcdef01234567, as commands of the aws CLI.
#
# error: a.yaml:1:1: it would open \x1b[31mtoo much
#
set -eu
echo 'Nothing of this plan may be done: see the errors above.' >&2
exit 1
