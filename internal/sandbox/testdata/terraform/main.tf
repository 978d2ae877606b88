# The recipe as plain Terraform: a bucket in one account, and in another a role
# that may use it, with an instance that has the role. The access keys are
# account ids, which the sandbox takes as those accounts' administrators. From
# version 6.23 on the provider asks S3 Control for a bucket's tags, at a host
# name that begins with the account's id, which an address cannot have.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 6.23"
    }
  }
}

variable "endpoint" {
  description = "The sandbox's URL."
  type        = string
}

provider "aws" {
  alias                       = "lake"
  region                      = "us-east-1"
  access_key                  = "111111111111"
  secret_key                  = "any"
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_credentials_validation = true

  endpoints {
    ec2 = var.endpoint
    iam = var.endpoint
    s3  = var.endpoint
    sts = var.endpoint
  }
}

provider "aws" {
  alias                       = "analytics"
  region                      = "us-east-1"
  access_key                  = "222222222222"
  secret_key                  = "any"
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_credentials_validation = true

  endpoints {
    ec2 = var.endpoint
    iam = var.endpoint
    s3  = var.endpoint
    sts = var.endpoint
  }
}

resource "aws_s3_bucket" "shared" {
  provider = aws.lake
  bucket   = "mybucket2share"
  tags     = { team = "data-platform" }
}

resource "aws_iam_role" "client" {
  provider = aws.analytics
  name     = "ec2role2accessmybucket2share"
  tags     = { team = "analytics" }
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

locals {
  list    = { Effect = "Allow", Action = ["s3:ListBucket", "s3:GetBucketLocation"], Resource = aws_s3_bucket.shared.arn }
  objects = { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "${aws_s3_bucket.shared.arn}/*" }
}

resource "aws_iam_policy" "client" {
  provider = aws.analytics
  name     = "mycrossaccounts3bucketpolicy"
  policy   = jsonencode({ Version = "2012-10-17", Statement = [local.list, local.objects] })
}

resource "aws_iam_role_policy_attachment" "client" {
  provider   = aws.analytics
  role       = aws_iam_role.client.name
  policy_arn = aws_iam_policy.client.arn
}

resource "aws_iam_instance_profile" "client" {
  provider = aws.analytics
  name     = aws_iam_role.client.name
  role     = aws_iam_role.client.name
}

resource "aws_s3_bucket_policy" "shared" {
  provider = aws.lake
  bucket   = aws_s3_bucket.shared.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      merge(local.list, { Principal = { AWS = aws_iam_role.client.arn } }),
      merge(local.objects, { Principal = { AWS = aws_iam_role.client.arn } }),
    ]
  })
}

data "aws_ami" "amazon_linux" {
  provider    = aws.analytics
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["al2023-ami-2023.*-x86_64"]
  }
}

resource "aws_instance" "client" {
  provider               = aws.analytics
  ami                    = data.aws_ami.amazon_linux.id
  instance_type          = "t3.micro"
  subnet_id              = "subnet-1234"
  vpc_security_group_ids = ["sg-1234"]
  key_name               = "mykey"
  iam_instance_profile   = aws_iam_instance_profile.client.name
  tags                   = { Name = "share-client" }

  metadata_options {
    http_tokens = "required"
  }
}

# A person beside the instance, with what users and groups can have.
resource "aws_iam_user" "analyst" {
  provider             = aws.analytics
  name                 = "analyst"
  path                 = "/people/"
  permissions_boundary = aws_iam_policy.client.arn
  tags                 = { team = "data" }
}

resource "aws_iam_access_key" "analyst" {
  provider = aws.analytics
  user     = aws_iam_user.analyst.name
}

resource "aws_iam_user_policy" "analyst" {
  provider = aws.analytics
  name     = "list"
  user     = aws_iam_user.analyst.name
  policy   = jsonencode({ Version = "2012-10-17", Statement = [local.list] })
}

resource "aws_iam_user_policy_attachment" "analyst" {
  provider   = aws.analytics
  user       = aws_iam_user.analyst.name
  policy_arn = aws_iam_policy.client.arn
}

resource "aws_iam_group" "analysts" {
  provider = aws.analytics
  name     = "analysts"
}

resource "aws_iam_group_policy" "analysts" {
  provider = aws.analytics
  name     = "objects"
  group    = aws_iam_group.analysts.name
  policy   = jsonencode({ Version = "2012-10-17", Statement = [local.objects] })
}

resource "aws_iam_group_policy_attachment" "analysts" {
  provider   = aws.analytics
  group      = aws_iam_group.analysts.name
  policy_arn = aws_iam_policy.client.arn
}

resource "aws_iam_user_group_membership" "analyst" {
  provider = aws.analytics
  user     = aws_iam_user.analyst.name
  groups   = [aws_iam_group.analysts.name]
}
