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
# analytics (222222222222), where apply has role xshare-deployer
: "${PROFILE_222222222222:?is to be the profile for account 222222222222}"
# lab (333333333333), where apply has role xshare-deployer
: "${PROFILE_333333333333:?is to be the profile for account 333333333333}"

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

# -------------------- analytics (222222222222)
use 222222222222 "$PROFILE_222222222222"

# ~ role ec2role2accessmybucket2share
aws --profile "$profile" iam update-assume-role-policy \
	--role-name ec2role2accessmybucket2share \
	--policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "ec2.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}' \
	--region us-east-1
aws --profile "$profile" iam tag-role \
	--role-name ec2role2accessmybucket2share \
	--tags '[{"Key":"xshare:share","Value":"mybucket2share"}]' \
	--region us-east-1

# -------------------- lab (333333333333)
use 333333333333 "$PROFILE_333333333333"

# > instance profile of i-0fedcba9876543210
association=$(aws --profile "$profile" ec2 describe-iam-instance-profile-associations \
	--filters '[{"Name":"instance-id","Values":["i-0fedcba9876543210"]},{"Name":"state","Values":["associating","associated"]}]' \
	--query 'IamInstanceProfileAssociations[0].AssociationId' \
	--output text \
	--region us-east-1)
if [ "$association" = None ]; then
	aws --profile "$profile" ec2 associate-iam-instance-profile \
		--instance-id i-0fedcba9876543210 \
		--iam-instance-profile '{"Arn":"arn:aws:iam::333333333333:instance-profile/science"}' \
		--region us-east-1
else
	aws --profile "$profile" ec2 replace-iam-instance-profile-association \
		--association-id "$association" \
		--iam-instance-profile '{"Arn":"arn:aws:iam::333333333333:instance-profile/science"}' \
		--region us-east-1
fi

# -------------------- analytics (222222222222)
use 222222222222 "$PROFILE_222222222222"

# > instance profile ec2role2accessmybucket2share
aws --profile "$profile" iam remove-role-from-instance-profile \
	--instance-profile-name ec2role2accessmybucket2share \
	--role-name web \
	--region us-east-1
aws --profile "$profile" iam add-role-to-instance-profile \
	--instance-profile-name ec2role2accessmybucket2share \
	--role-name ec2role2accessmybucket2share \
	--region us-east-1

# ~ managed policy mycrossaccounts3bucketpolicy
aws --profile "$profile" iam delete-policy-version \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--version-id v3 \
	--region us-east-1
aws --profile "$profile" iam create-policy-version \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--set-as-default \
	--policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "xsharee95485aaa20d7c3cd858",
      "Effect": "Allow",
      "Action": [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject"
      ],
      "Resource": "arn:aws:s3:::mybucket2share/*"
    },
    {
      "Sid": "xsharee95485aaa2aa259a60dd",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads"
      ],
      "Resource": "arn:aws:s3:::mybucket2share"
    },
    {
      "Sid": "xsharee95485aaa2b036bc5054",
      "Effect": "Allow",
      "Action": "s3:GetBucketLocation",
      "Resource": "arn:aws:s3:::mybucket2share"
    }
  ]
}' \
	--region us-east-1
aws --profile "$profile" iam tag-policy \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--tags '[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"mybucket2share"}]' \
	--region us-east-1
