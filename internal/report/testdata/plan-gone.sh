#!/bin/sh
# What `xshare apply` would do by a plan of repository acme-data, commit
# 0123456789abcdef0123456789abcdef01234567, as commands of the aws CLI.
#
# It does what was to be done when the plan was made, and lacks what apply does
# besides:
# - A bucket policy is put whole, with the statements of others as they were
#   then: what anybody has written since is lost. apply reads it anew, merges,
#   and reads it back.
# - That a resource is still ours, or still absent, is not checked; there is no
#   lock; and access is not computed again.
# - That a new bucket has what AWS gives every new one (no public access, no
#   ACLs, encryption) is not checked.
# - AWS may take some seconds to hear of a role or an instance profile
#   everywhere. apply tries again; this waits only where the aws CLI has a
#   command for it, and stops at errors such as "Invalid principal in policy".
#
# So run it soon, and once. It stops at the first error, and what it has done
# stays done: go on with a new plan then, not with this one.
#
set -eu
AWS_PAGER=
export AWS_PAGER

# The profile of the aws CLI for each account: name them in the environment.
# lake (111111111111)
: "${PROFILE_111111111111:?is to be the profile for account 111111111111}"
# analytics (222222222222)
: "${PROFILE_222222222222:?is to be the profile for account 222222222222}"

# use ACCOUNT PROFILE: what follows is done with that profile, if it is of that
# account.
use() {
	profile=$2
	account=$(aws --profile "$profile" sts get-caller-identity --region us-east-1 --query Account --output text)
	if [ "$account" != "$1" ]; then
		echo "profile $profile is of account $account, not $1" >&2
		exit 1
	fi
}

# -------------------- lake (111111111111)
use 111111111111 "$PROFILE_111111111111"

# - bucket policy mybucket2share
aws --profile "$profile" s3api delete-bucket-policy \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--region us-east-1

# -------------------- analytics (222222222222)
use 222222222222 "$PROFILE_222222222222"

# - instance i-0123456789abcdef0
aws --profile "$profile" ec2 terminate-instances \
	--instance-ids i-0123456789abcdef0 \
	--region us-east-1
aws --profile "$profile" ec2 wait instance-terminated \
	--instance-ids i-0123456789abcdef0 \
	--region us-east-1

# - instance profile ec2role2accessmybucket2share
users=$(aws --profile "$profile" ec2 describe-instances \
	--filters '[{"Name":"iam-instance-profile.arn","Values":["arn:aws:iam::222222222222:instance-profile/ec2role2accessmybucket2share"]},{"Name":"instance-state-name","Values":["pending","running","stopping","stopped"]}]' \
	--query 'Reservations[].Instances[].InstanceId' \
	--output text \
	--region us-east-1)
[ -z "$users" ] || { echo 'the instance profile is left alone: in us-east-1 it is used by' "$users" >&2; exit 1; }
aws --profile "$profile" iam remove-role-from-instance-profile \
	--instance-profile-name ec2role2accessmybucket2share \
	--role-name ec2role2accessmybucket2share \
	--region us-east-1
aws --profile "$profile" iam delete-instance-profile \
	--instance-profile-name ec2role2accessmybucket2share \
	--region us-east-1

# - attachment of mycrossaccounts3bucketpolicy to ec2role2accessmybucket2share
aws --profile "$profile" iam detach-role-policy \
	--role-name ec2role2accessmybucket2share \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--region us-east-1

# - managed policy mycrossaccounts3bucketpolicy
versions=$(aws --profile "$profile" iam list-policy-versions \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--query 'Versions[?!IsDefaultVersion].VersionId' \
	--output text \
	--region us-east-1)
for version in $versions; do
	aws --profile "$profile" iam delete-policy-version \
		--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
		--version-id "$version" \
		--region us-east-1
done
aws --profile "$profile" iam delete-policy \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--region us-east-1

# - role ec2role2accessmybucket2share
aws --profile "$profile" iam delete-role \
	--role-name ec2role2accessmybucket2share \
	--region us-east-1

# -------------------- lake (111111111111)
use 111111111111 "$PROFILE_111111111111"

# - bucket mybucket2share
aws --profile "$profile" s3api delete-bucket \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--region us-east-1
