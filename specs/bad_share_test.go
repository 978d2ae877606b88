package specs

import "strings"

// actions is the good share with further actions.
func actions(list string) files {
	return share("access: [read]", "access: [read]\n      actions: ["+list+"]")
}

const trustEC2 = `{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}`

// badShares are errors within one share.
var badShares = []badCase{
	{"no metadata and no spec", share(goodShare, "apiVersion: xshare/v1\nkind: Share\n"), `
shares/sales.yaml:1:1: the Share has no field "metadata": add metadata
shares/sales.yaml:1:1: the Share has no field "spec": add spec`},
	{"share name with a space", share("name: sales\n", "name: the sales\n"), `
shares/sales.yaml:4:9: the share's name "the sales" is not letters, digits, '.', '_' and '-', a letter or digit first: take the other characters out`},
	{"share name too long", share("name: sales\n", "name: "+strings.Repeat("s", 129)+"\n"), `
shares/sales.yaml:4:9: the share's name "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"… is longer than 128 characters: shorten it`},
	{"share name is a date", share("name: sales\n", "name: 2026-11-24\n"), `
shares/sales.yaml:4:9: name must be a text and YAML reads the date 2026-11-24: write it in quotes: "2026-11-24"`},
	{"share name is true", share("name: sales\n", "name: true\n"), `
shares/sales.yaml:4:9: name must be a text and YAML reads the truth value true: write it in quotes: "true"`},
	{"owner that is no tag", share("name: sales\n", "name: sales\n  owner: \"a,b\"\n"), `
shares/sales.yaml:5:10: owner "a,b" has characters other than letters, digits, spaces and +-=._:/@: take them out`},
	{"no bucket, no consumers", share(`
  bucket:
    name: sales-data
    account: lake
  consumers:
    - account: analytics
      role:
        name: reader
        create: true
        trust: ec2
      access: [read]
`, " {}\n"), `
shares/sales.yaml:5:7: spec has no field "bucket": add bucket
shares/sales.yaml:5:7: spec has no field "consumers": add consumers`},
	{"bucket in upper case", share("sales-data", "Sales"), `
shares/sales.yaml:7:11: the bucket name "Sales" has characters other than a-z, 0-9, '.' and '-': take them out; S3 has no upper case and no '_'`},
	{"bucket with an underscore", share("sales-data", "sales_data"), `
shares/sales.yaml:7:11: the bucket name "sales_data" has characters other than a-z, 0-9, '.' and '-': take them out; S3 has no upper case and no '_'`},
	{"bucket too short", share("sales-data", "sd"), `
shares/sales.yaml:7:11: the bucket name "sd" is not 3 to 63 characters long: choose another name`},
	{"bucket too long", share("sales-data", strings.Repeat("b", 64)), `
shares/sales.yaml:7:11: the bucket name "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" is not 3 to 63 characters long: choose another name`},
	{"bucket ends in a dash", share("sales-data", "sales-"), `
shares/sales.yaml:7:11: the bucket name "sales-" does not start and end with a letter or digit: choose another name`},
	{"bucket with two dots", share("sales-data", "sales..data"), `
shares/sales.yaml:7:11: the bucket name "sales..data" has two dots in a row: choose another name`},
	{"bucket as an IP address", share("sales-data", "192.168.5.4"), `
shares/sales.yaml:7:11: the bucket name "192.168.5.4" has the form of an IP address: choose another name`},
	{"bucket with a reserved start", share("sales-data", "xn--sales"), `
shares/sales.yaml:7:11: the bucket name "xn--sales" starts with xn--, which S3 reserves: choose another name`},
	{"bucket with a reserved end", share("sales-data", "sales-s3alias"), `
shares/sales.yaml:7:11: the bucket name "sales-s3alias" ends in -s3alias, which S3 reserves: choose another name`},
	{"bucket as an ARN", share("sales-data", "arn:aws:s3:::sales-data"), `
shares/sales.yaml:7:11: the bucket name "arn:aws:s3:::sales-data" is not a plain name: write the bucket's name alone`},
	{"bucket as a URL", share("sales-data", "s3://sales-data"), `
shares/sales.yaml:7:11: the bucket name "s3://sales-data" is not a plain name: write the bucket's name alone`},
	{"bucket as a text", share("    name: sales-data\n    account: lake\n", "").edit("bucket:", "bucket: sales-data"), `
shares/sales.yaml:6:11: bucket is the text "sales-data": write a mapping with the fields of bucket`},
	{"bucket without account", share("    account: lake\n", ""), `
shares/sales.yaml:7:5: bucket has no field "account": add account`},
	{"bucket region bad", share("account: lake", "account: lake\n    region: Frankfurt"), `
shares/sales.yaml:9:13: "Frankfurt" is no region of AWS's commercial, China or GovCloud partition: write one such as us-east-1`},
	{"bucket region in China", share("account: lake", "account: lake\n    region: cn-north-1"), `
shares/sales.yaml:9:13: region cn-north-1 is in partition aws-cn and the repository's region is in aws: keep the partitions in repositories of their own`},
	{"create is a word", share("account: lake", "account: lake\n    create: yes"), `
shares/sales.yaml:9:13: create is the text "yes": write true or false`},
	{"create without value", share("account: lake", "account: lake\n    create:"), `
shares/sales.yaml:9:12: create has no value: write one, or take the field out`},
	{"account misspelt", share("account: analytics", "account: analytic"), `
shares/sales.yaml:10:16: account "analytic" is not in xshare.yaml: did you mean "analytics"?`},
	{"account far off", share("account: analytics", "account: marketing"), `
shares/sales.yaml:10:16: account "marketing" is not in xshare.yaml: add it to xshare.yaml, which has analytics, lake, old, partner`},
	{"account by id", share("account: analytics", `account: "222222222222"`), `
shares/sales.yaml:10:16: account "222222222222" is an id, not an alias: write its alias: analytics`},
	{"account by id, not quoted", share("account: analytics", `account: 222222222222`), `
shares/sales.yaml:10:16: account must be a text and YAML reads the number 222222222222: write it in quotes: "222222222222"`},
	{"bucket in a retired account", share("account: lake", "account: old"), `
shares/sales.yaml:8:14: account old is retired and can have no shares: take the share out, or retired: true at xshare.yaml:12:5`},
	{"consumer in a retired account", share("account: analytics", "account: old"), `
shares/sales.yaml:10:16: account old is retired and can have no shares: take the share out, or retired: true at xshare.yaml:12:5`},
	{"bucket to create in a partner's account", share("account: lake", "account: partner\n    create: true"), `
shares/sales.yaml:9:13: account partner has manage: false, so xshare creates no bucket there: take create out: its owner makes the bucket`},
	{"role to create in a partner's account", share("account: analytics", "account: partner"), `
shares/sales.yaml:13:17: account partner has manage: false, so xshare creates no role there: take create out: its owner makes the role`},
	{"instance in a partner's account", share("account: analytics", "account: partner").edit("        create: true\n        trust: ec2\n", "").edit("access: [read]", "access: [read]\n      instances: [{id: i-01234567}]"), `
shares/sales.yaml:14:18: account partner has manage: false, so xshare launches and changes no instance there: take instances out: its owner runs them`},
	{"profile in a partner's account", share("account: analytics", "account: partner").edit("        create: true\n        trust: ec2\n", "        instanceProfile: true\n"), `
shares/sales.yaml:13:26: account partner has manage: false, so xshare makes no instance profile there: take instanceProfile out: its owner makes it`},
	{"policyName in a partner's account", share("account: analytics", "account: partner").edit("        create: true\n        trust: ec2\n", "").edit("access: [read]", "access: [read]\n      policyName: p"), `
shares/sales.yaml:14:19: warning: policyName has no effect in an account with manage: false: take it out`},
	{"both sides are partners", share("account: analytics", "account: partner").edit("        create: true\n        trust: ec2\n", "").edit("account: lake", "account: partner"), `
shares/sales.yaml:10:16: warning: neither account partner nor partner is managed, so there is nothing to do for this consumer: put manage: true on one of the accounts`},
	{"consumers as a mapping", share("    - account: analytics\n      role:", "      account: analytics\n      role:"), `
shares/sales.yaml:10:7: consumers is a mapping: write a list`},
	{"no consumer", share(`
    - account: analytics
      role:
        name: reader
        create: true
        trust: ec2
      access: [read]
`, " []\n"), `
shares/sales.yaml:9:14: consumers is empty: write at least one, or take the field out`},
	{"consumer without account and role", share(`account: analytics
      role:
        name: reader
        create: true
        trust: ec2
      access`, "access"), `
shares/sales.yaml:10:7: an item of consumers has no field "account": add account
shares/sales.yaml:10:7: an item of consumers has no field "role": add role`},
	{"misspelt field of a consumer", share("access: [read]", "acess: [read]"), `
shares/sales.yaml:10:7: the consumer has neither access nor actions: add access: [read], or what is needed
shares/sales.yaml:15:7: an item of consumers has no field "acess": did you mean "access"?`},
	{"same consumer twice", share("access: [read]", "access: [read]\n    - account: analytics\n      role: {name: reader}\n      access: write"), `
shares/sales.yaml:16:7: role "reader" of account analytics is a consumer of this share already, at shares/sales.yaml:10:7: put both into one consumer`},
	{"role as a text", share("\n        name: reader\n        create: true\n        trust: ec2", " reader"), `
shares/sales.yaml:11:13: role is the text "reader": write a mapping with the fields of role`},
	{"role without name", share("        name: reader\n", ""), `
shares/sales.yaml:12:9: role has no field "name": add name`},
	{"role as an ARN", share("name: reader", "name: arn:aws:iam::222222222222:role/reader"), `
shares/sales.yaml:12:15: the role name "arn:aws:iam::222222222222:role/reader" is an ARN: write the role's name, or path/name`},
	{"role too long", share("name: reader", "name: "+strings.Repeat("r", 65)), `
shares/sales.yaml:12:15: the role name "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr" is longer than IAM takes: shorten the name to at most 64 characters`},
	{"role with a star", share("name: reader", "name: reader*"), `
shares/sales.yaml:12:15: the role name "reader*" has characters other than letters, digits and +=,.@_-: take them out`},
	{"role that ends in a slash", share("name: reader", "name: app/"), `
shares/sales.yaml:12:15: the role name "app/" ends in a slash: write path/name`},
	{"role with an empty part in its path", share("name: reader", "name: app//reader"), `
shares/sales.yaml:12:15: the role name "app//reader" has an empty part in its path: write path/name`},
	{"role path too long", share("name: reader", "name: "+strings.Repeat("p", 511)+"/reader"), `
shares/sales.yaml:12:15: the role name "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"… has a path longer than 512 characters: shorten the path`},
	{"role path with a space", share("name: reader", "name: my app/reader"), `
shares/sales.yaml:12:15: the role name "my app/reader" has a path with spaces or characters outside ASCII: take them out`},
	{"role in a reserved path", share("name: reader", "name: aws-service-role/ec2.amazonaws.com/reader"), `
shares/sales.yaml:12:15: the role name "aws-service-role/ec2.amazonaws.com/reader" is in the path aws-service-role, which IAM reserves for roles that AWS's services make: choose another path`},
	{"an existing role in a reserved path", share("        name: reader\n        create: true\n        trust: ec2\n", "        name: aws-service-role/ec2.amazonaws.com/reader\n"), `
shares/sales.yaml:12:15: the role "aws-service-role/ec2.amazonaws.com/reader" is one of an AWS service, which alone gives it policies: name another role, and let the service use that`},
	{"create without trust", share("        trust: ec2\n", ""), `
shares/sales.yaml:13:17: role "reader" is to be created and has neither trust nor trustPolicy: add trust: ec2, or who is to use the role`},
	{"trust without create", share("        create: true\n", ""), `
shares/sales.yaml:13:16: trust is only for a role with create: true: add create: true, or take trust out`},
	{"boundary without create", share("        create: true\n        trust: ec2\n", "        permissionsBoundary: b\n"), `
shares/sales.yaml:13:30: permissionsBoundary is only for a role with create: true: add create: true, or take permissionsBoundary out`},
	{"trust misspelt", share("trust: ec2", "trust: ecs-task"), `
shares/sales.yaml:14:16: trust "ecs-task" is not known: did you mean "ecs-tasks"?`},
	{"trust cut short", share("trust: ec2", "trust: ecs"), `
shares/sales.yaml:14:16: trust "ecs" is not known: did you mean "ecs-tasks"?`},
	{"trust far off", share("trust: ec2", "trust: everybody"), `
shares/sales.yaml:14:16: trust "everybody" is not known: write a service principal such as glue.amazonaws.com, or one of ec2, lambda, ecs-tasks`},
	{"trust in an account", share("trust: ec2", `trust: "333333333333"`), `
shares/sales.yaml:14:16: trust "333333333333" is not a service: write the trust policy into a file and name it under trustPolicy`},
	{"trust of China", share("trust: ec2", "trust: ec2.amazonaws.com.cn"), `
shares/sales.yaml:14:16: trust "ec2.amazonaws.com.cn" is a service of the China partition: write ec2.amazonaws.com`},
	{"trust and trustPolicy", share("trust: ec2", "trust: ec2\n        trustPolicy: trust.json").with("trust.json", trustEC2), `
shares/sales.yaml:15:22: the role has both trust and trustPolicy: take one of the two out`},
	{"trustPolicy outside", share("trust: ec2", "trustPolicy: ../trust.json"), `
shares/sales.yaml:14:22: trustPolicy "../trust.json" is no path inside the repository: write it relative to the repository's root, without . and ..`},
	{"trustPolicy from the root", share("trust: ec2", "trustPolicy: /etc/passwd"), `
shares/sales.yaml:14:22: trustPolicy "/etc/passwd" is no path inside the repository: write it relative to the repository's root, without . and ..`},
	{"trustPolicy missing", share("trust: ec2", "trustPolicy: trust.json"), `
shares/sales.yaml:14:22: there is no file "trust.json": paths start at the repository's root`},
	{"trustPolicy beside the share", share("trust: ec2", "trustPolicy: trust.json").with("shares/trust.json", "{}"), `
shares/sales.yaml:14:22: there is no file "trust.json": write "shares/trust.json", since paths start at the repository's root`},
	{"trustPolicy is a directory", share("trust: ec2", "trustPolicy: shares"), `
shares/sales.yaml:14:22: "shares" is not a plain file: put a plain file there`},
	{"trustPolicy is no JSON", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", "Version: 1"), `
trust.json:1:1: invalid JSON: a value is expected here: correct it there`},
	{"trustPolicy with a comma too many", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", "{\"Statement\": [\n  {},\n]}"), `
trust.json:2:5: invalid JSON: there is a comma before the closing bracket: correct it there`},
	{"trustPolicy without Statement", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", "{}"), `
trust.json:1:1: Statement is missing: a policy needs at least one statement`},
	{"trustPolicy too long", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", strings.Replace(trustEC2, "{", `{"Id": "`+strings.Repeat("x", 4096)+`", `, 1)), `
trust.json:1:1: the trust policy has 4206 characters and IAM takes 4096, white space not counted: shorten it`},
	{"trustPolicy with a character that IAM refuses", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", strings.Replace(trustEC2, "{", `{"Id": "→", `, 1)), `
shares/sales.yaml:14:22: the file "trust.json" holds the character U+2192, which IAM refuses: use letters up to U+00FF`},
	{"trustPolicy with such a character, escaped", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", strings.Replace(trustEC2, "{", `{"Id": "\u202e", `, 1)), `
shares/sales.yaml:14:22: the file "trust.json" holds the character U+202E, which IAM refuses: use letters up to U+00FF`},
	{"trustPolicy for nobody", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}`), `
trust.json:1:15: Principal is missing: say who is to use the role, such as "Principal": {"Service": "ec2.amazonaws.com"}`},
	{"trustPolicy with errors, beside another share's", two("trust: ec2", "trustPolicy: trust.json").edit("name: reader", "name: other").in("shares/sales.yaml").edit("sales-data", "Sales").
		with("trust.json", "{\"Statement\": [\n  {\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"arn:aws:iam::22222:root\"}, \"Action\": \"sts:AssumeRole\"},\n  {\"Effect\": \"allow\"}\n]}"), `
shares/sales.yaml:7:11: the bucket name "Sales" has characters other than a-z, 0-9, '.' and '-': take them out; S3 has no upper case and no '_'
trust.json:2:44: AWS "arn:aws:iam::22222:root" is an ARN without an account: write the account's id of 12 digits into it
trust.json:3:3: Principal is missing: say who is to use the role, such as "Principal": {"Service": "ec2.amazonaws.com"}
trust.json:3:3: Action is missing: a statement needs Action or NotAction
trust.json:3:14: Effect is "allow": it must be "Allow" or "Deny", in this spelling`},
	{"trustPolicy of two roles", share("access: [read]\n", "access: [read]\n    - account: lake\n      role: {name: other, create: true, trustPolicy: trust.json}\n      access: [read]\n").edit("trust: ec2", "trustPolicy: trust.json").with("trust.json", "[]"), `
trust.json:1:1: a policy must be a JSON object, not a list: correct it there`},
	{"trustPolicy huge", share("trust: ec2", "trustPolicy: trust.json").with("trust.json", strings.Repeat(" ", 100_000)), `
shares/sales.yaml:14:22: "trust.json" is larger than the 32768 bytes that are read: make it smaller, or split it into several files`},
	{"profile with a path", share("trust: ec2", "trust: ec2\n        instanceProfile: app/p"), `
shares/sales.yaml:15:26: the instance profile name "app/p" has a path: write the instance profile's name alone`},
	{"profile true in quotes", share("trust: ec2", "trust: ec2\n        instanceProfile: \"true\""), `
shares/sales.yaml:15:26: instanceProfile is the text "true": write true without quotes, or another name`},
	{"profile yes", share("trust: ec2", "trust: ec2\n        instanceProfile: yes"), `
shares/sales.yaml:15:26: instanceProfile is the text "yes": write true or false without quotes, or another name`},
	{"profile is a number", share("trust: ec2", "trust: ec2\n        instanceProfile: 1"), `
shares/sales.yaml:15:26: instanceProfile must be a text and YAML reads the number 1: write it in quotes: "1"`},
	{"profile of a lambda's role", share("trust: ec2", "trust: lambda\n        instanceProfile: true"), `
shares/sales.yaml:15:26: warning: role "reader" has an instance profile, but lambda.amazonaws.com is trusted and not EC2: take it out, or write trust: ec2`},
	{"boundary of another account", share("trust: ec2", "trust: ec2\n        permissionsBoundary: arn:aws:iam::111111111111:policy/b"), `
shares/sales.yaml:15:30: permissionsBoundary is a policy of account 111111111111 and the role is in 222222222222: write the name alone: it is then looked up in the role's account`},
	{"neither access nor actions", share("      access: [read]\n", "      policyName: p\n"), `
shares/sales.yaml:10:7: the consumer has neither access nor actions: add access: [read], or what is needed`},
	{"access misspelt", share("access: [read]", "access: [raed]"), `
shares/sales.yaml:15:16: access "raed" is not known: did you mean "read"?`},
	{"access far off", share("access: [read]", "access: administrator"), `
shares/sales.yaml:15:15: access "administrator" is not known: the words are list, read, write, delete, full`},
	{"access twice", share("access: [read]", "access: [read, list, read]"), `
shares/sales.yaml:15:28: access "read" stands here twice, first at shares/sales.yaml:15:16: take one of the two out`},
	{"access as a mapping", share("access: [read]", "access: {read: true}"), `
shares/sales.yaml:15:15: access is a mapping: write a list of texts`},
	{"access empty", share("access: [read]", "access: []"), `
shares/sales.yaml:15:15: access is empty: write at least one, or take the field out`},
	{"access without value", share("access: [read]", "access:"), `
shares/sales.yaml:15:14: access has no value: write one, or take the field out`},
	{"access with an empty item", share("access: [read]", "access:\n        - read\n        -"), `
shares/sales.yaml:17:10: an item of access has no value: write one, or take the field out`},
	{"full", share("access: [read]", "access: full"), `
shares/sales.yaml:15:15: warning: access full opens every S3 action, changing the bucket's own policy included: write the words that are needed, such as [read, write, delete]`},
	{"full with prefixes", share("access: [read]", "access: full\n      prefixes: [in/]"), `
shares/sales.yaml:15:15: access full is the whole bucket and does not go with prefixes: take full or the prefixes out`},
	{"action unknown", share("access: [read]", "actions: [s3:GetObjects]"), `
shares/sales.yaml:15:17: the action "s3:GetObjects" does not exist: did you mean s3:GetObject?`},
	{"action far off", share("access: [read]", "actions: [s3:Frobnicate]"), `
shares/sales.yaml:15:17: the action "s3:Frobnicate" does not exist: look it up in AWS's list of actions for Amazon S3`},
	{"action without service", share("access: [read]", "actions: [GetObject]"), `
shares/sales.yaml:15:17: the action "GetObject" lacks its service: write "s3:GetObject"`},
	{"action of another service", share("access: [read]", "actions: [kms:Decrypt]"), `
shares/sales.yaml:15:17: the action "kms:Decrypt" is not one of S3: write S3 actions only`},
	{"action with a wildcard", share("access: [read]", "actions: ['s3:Get*']"), `
shares/sales.yaml:15:17: the action "s3:Get*" has a wildcard: write each action that is needed`},
	{"action on the whole account", share("access: [read]", "actions: [s3:ListAllMyBuckets]"), `
shares/sales.yaml:15:17: the action "s3:ListAllMyBuckets" works on the whole account, not on a bucket or its objects: take it out`},
	{"action twice in another case", share("access: [read]", "actions: [s3:GetObjectTagging, s3:getobjecttagging]"), `
shares/sales.yaml:15:38: the action "s3:GetObjectTagging" stands here twice, first at shares/sales.yaml:15:17: take one of the two out`},
	{"actions as a text", share("access: [read]", "actions: s3:GetObjectTagging"), `
shares/sales.yaml:15:16: actions is the text "s3:GetObjectTagging": write a list of texts`},
	{"actions that are the bucket's account's", actions("s3:GetBucketPolicy, s3:PutBucketPolicy"), `
shares/sales.yaml:16:17: the action s3:GetBucketPolicy is for the bucket's own account only, whatever policies say, and role "reader" is of another: take it out
shares/sales.yaml:16:37: the action s3:PutBucketPolicy is for the bucket's own account only, whatever policies say, and role "reader" is of another: take it out`},
	{"actions on permissions", actions("s3:PutObjectAcl, s3:GetObjectAcl, s3:PutBucketPublicAccessBlock, s3:PutBucketOwnershipControls"), `
shares/sales.yaml:16:17: warning: by the action s3:PutObjectAcl role "reader" of another account can change who has access to bucket "sales-data": take it out, and change permissions from the bucket's account
shares/sales.yaml:16:51: warning: by the action s3:PutBucketPublicAccessBlock role "reader" of another account can change who has access to bucket "sales-data": take it out, and change permissions from the bucket's account
shares/sales.yaml:16:82: warning: by the action s3:PutBucketOwnershipControls role "reader" of another account can change who has access to bucket "sales-data": take it out, and change permissions from the bucket's account`},
	{"actions of the bucket's own account", actions("s3:PutObjectAcl, s3:PutBucketPolicy").edit("account: analytics", "account: lake"), ""},
	{"actions on the bucket, beside prefixes", actions("s3:PutLifecycleConfiguration, s3:GetBucketTagging, s3:PutBucketTagging, s3:PutObjectTagging, s3:UntagResource]\n      prefixes: [in/"), `
shares/sales.yaml:16:17: warning: the action s3:PutLifecycleConfiguration changes all of bucket "sales-data", and the consumer is held to prefixes: take it out, or the prefixes, if the whole bucket is meant
shares/sales.yaml:16:68: warning: the action s3:PutBucketTagging changes all of bucket "sales-data", and the consumer is held to prefixes: take it out, or the prefixes, if the whole bucket is meant
shares/sales.yaml:16:110: warning: the action s3:UntagResource changes all of bucket "sales-data", and the consumer is held to prefixes: take it out, or the prefixes, if the whole bucket is meant`},
	{"actions on permissions at home, beside prefixes", actions("s3:PutBucketAcl]\n      prefixes: [in/").edit("account: analytics", "account: lake"), `
shares/sales.yaml:16:17: warning: the action s3:PutBucketAcl changes all of bucket "sales-data", and the consumer is held to prefixes: take it out, or the prefixes, if the whole bucket is meant`},
	{"actions that list uploads, beside prefixes", actions("s3:ListBucketMultipartUploads, s3:ListBucketVersions]\n      prefixes: [in/"), `
shares/sales.yaml:16:17: warning: the action s3:ListBucketMultipartUploads shows the keys of uploads to all of bucket "sales-data", as S3 has no prefix for it, and the consumer is held to prefixes: take it out, or the prefixes, if the whole bucket is meant`},
	{"prefix without slash", share("access: [read]", "access: [read]\n      prefixes: [incoming]"), `
shares/sales.yaml:16:18: the prefix "incoming" does not end in a slash: write "incoming/": without the slash "incoming-other" would be open too`},
	{"prefix that is a slash", share("access: [read]", "access: [read]\n      prefixes: [/]"), `
shares/sales.yaml:16:18: the prefix "/" is only a slash, and S3 keys have no leading slash: leave prefixes out, which means the whole bucket`},
	{"prefix with a leading slash", share("access: [read]", "access: [read]\n      prefixes: [/incoming/]"), `
shares/sales.yaml:16:18: the prefix "/incoming/" starts with a slash: write "incoming/": S3 keys have no leading slash`},
	{"prefix with a star", share("access: [read]", "access: [read]\n      prefixes: [incoming/*]"), `
shares/sales.yaml:16:18: the prefix "incoming/*" has one of * ? $, which mean more than themselves in a policy: write the prefix without them: everything below it is included`},
	{"prefix with a variable", share("access: [read]", "access: [read]\n      prefixes: ['${aws:username}/']"), `
shares/sales.yaml:16:18: the prefix "${aws:username}/" has one of * ? $, which mean more than themselves in a policy: write the prefix without them: everything below it is included`},
	{"prefix as a URL", share("access: [read]", "access: [read]\n      prefixes: [s3://sales-data/incoming/]"), `
shares/sales.yaml:16:18: the prefix "s3://sales-data/incoming/" is not a plain prefix: write what the keys start with, such as incoming/`},
	{"prefix that a policy cannot hold", share("access: [read]", "access: [read]\n      prefixes: [データ/]"), `
shares/sales.yaml:16:18: the prefix "データ/" has characters that a policy cannot hold: use letters up to U+00FF`},
	{"prefix too long", share("access: [read]", "access: [read]\n      prefixes: ["+strings.Repeat("p", 1000)+"/]"), `
shares/sales.yaml:16:18: the prefix "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"… is longer than 1000 bytes: shorten it: an S3 key has at most 1024`},
	{"prefix twice", share("access: [read]", "access: [read]\n      prefixes: [in/, in/]"), `
shares/sales.yaml:16:23: the prefix "in/" stands here twice, first at shares/sales.yaml:16:18: take one of the two out`},
	{"prefix in another", share("access: [read]", "access: [read]\n      prefixes: [in/a/, out/, in/]"), `
shares/sales.yaml:16:18: warning: the prefix "in/a/" lies in "in/" already: take it out`},
	{"policyName with a path", share("access: [read]", "access: [read]\n      policyName: app/p"), `
shares/sales.yaml:16:19: policyName "app/p" has a path: write the policy's name alone`},
	{"policyName with a space", share("access: [read]", "access: [read]\n      policyName: my policy"), `
shares/sales.yaml:16:19: policyName "my policy" has characters other than letters, digits and +=,.@_-: take them out`},
	{"policyName too long", share("access: [read]", "access: [read]\n      policyName: "+strings.Repeat("p", 129)), `
shares/sales.yaml:16:19: policyName "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"… is longer than IAM takes: shorten the name to at most 128 characters`},
}
