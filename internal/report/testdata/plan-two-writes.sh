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
# lake (111111111111), where apply has role xshare-deployer
: "${PROFILE_111111111111:?is to be the profile for account 111111111111}"
# analytics (222222222222), where apply has role xshare-deployer
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

# ~ bucket policy mybucket2share: what it loses
aws --profile "$profile" s3api put-bucket-policy \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--policy '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TLS",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": [
        "arn:aws:s3:::mybucket2share",
        "arn:aws:s3:::mybucket2share/*"
      ],
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "false"
        }
      }
    }
  ]
}' \
	--region us-east-1

# -------------------- analytics (222222222222)
use 222222222222 "$PROFILE_222222222222"

# + managed policy xshare.acme-data.reports
aws --profile "$profile" iam create-policy \
	--policy-name xshare.acme-data.reports \
	--path / \
	--policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "xsharee95485aaa265fc45607a",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::mybucket2share",
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "reports/",
            "reports/*",
            "summaries/",
            "summaries/*"
          ]
        }
      }
    },
    {
      "Sid": "xsharee95485aaa29066cc7f70",
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": [
        "arn:aws:s3:::mybucket2share/reports/*",
        "arn:aws:s3:::mybucket2share/summaries/*"
      ]
    },
    {
      "Sid": "xsharee95485aaa2b036bc5054",
      "Effect": "Allow",
      "Action": "s3:GetBucketLocation",
      "Resource": "arn:aws:s3:::mybucket2share"
    }
  ]
}' \
	--tags '[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"nightly-reports"}]' \
	--region us-east-1
aws --profile "$profile" iam wait policy-exists \
	--policy-arn arn:aws:iam::222222222222:policy/xshare.acme-data.reports \
	--region us-east-1

# + role reports
aws --profile "$profile" iam create-role \
	--role-name reports \
	--path / \
	--assume-role-policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "lambda.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}' \
	--tags '[{"Key":"xshare:repository","Value":"acme-data"},{"Key":"xshare:share","Value":"nightly-reports"}]' \
	--region us-east-1
aws --profile "$profile" iam wait role-exists \
	--role-name reports \
	--region us-east-1

# + attachment of xshare.acme-data.reports to reports
aws --profile "$profile" iam attach-role-policy \
	--role-name reports \
	--policy-arn arn:aws:iam::222222222222:policy/xshare.acme-data.reports \
	--region us-east-1

# - attachment of mycrossaccounts3bucketpolicy to ec2role2accessmybucket2share
aws --profile "$profile" iam detach-role-policy \
	--role-name ec2role2accessmybucket2share \
	--policy-arn arn:aws:iam::222222222222:policy/mycrossaccounts3bucketpolicy \
	--region us-east-1

# -------------------- lake (111111111111)
use 111111111111 "$PROFILE_111111111111"

# ~ bucket policy mybucket2share: what it gains
aws --profile "$profile" s3api put-bucket-policy \
	--bucket mybucket2share \
	--expected-bucket-owner 111111111111 \
	--policy '{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TLS",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": [
        "arn:aws:s3:::mybucket2share",
        "arn:aws:s3:::mybucket2share/*"
      ],
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "false"
        }
      }
    },
    {
      "Sid": "xsharee95485aaa265fc45607a",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::222222222222:role/reports"
      },
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::mybucket2share",
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "reports/",
            "reports/*",
            "summaries/",
            "summaries/*"
          ]
        }
      }
    },
    {
      "Sid": "xsharee95485aaa29066cc7f70",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::222222222222:role/reports"
      },
      "Action": "s3:GetObject",
      "Resource": [
        "arn:aws:s3:::mybucket2share/reports/*",
        "arn:aws:s3:::mybucket2share/summaries/*"
      ]
    },
    {
      "Sid": "xsharee95485aaa2b036bc5054",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::222222222222:role/reports"
      },
      "Action": "s3:GetBucketLocation",
      "Resource": "arn:aws:s3:::mybucket2share"
    }
  ]
}' \
	--region us-east-1
