#!/bin/sh
# What `xshare apply` would do by a plan of repository acme-data, commit
# 0123456789abcdef0123456789abcdef01234567, as commands of the aws CLI.
#
set -eu
# There is nothing to do.
