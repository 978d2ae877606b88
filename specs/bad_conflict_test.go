package specs

import "strings"

// badConflicts are errors between two shares. The second is the good share
// under another name; the first to be read is shares/sales.yaml.
var badConflicts = []badCase{
	{"share name twice", two("name: second", "name: sales"), `
shares/second.yaml:4:9: a share named "sales" stands at shares/sales.yaml:4:9 already: rename one of the two`},
	{"bucket in two accounts", two("account: lake", "account: partner"), `
shares/second.yaml:8:14: bucket "sales-data" has account partner here and lake at shares/sales.yaml:8:14: write the same in both places, or leave it out in one if it is optional`},
	{"bucket in two regions", two("account: lake", "account: lake\n    region: us-west-2").in("shares/sales.yaml").edit("account: lake", "account: lake\n    region: us-east-1"), `
shares/second.yaml:9:13: bucket "sales-data" has region us-west-2 here and us-east-1 at shares/sales.yaml:9:13: write the same in both places, or leave it out in one if it is optional`},
	{"role with two paths", two("name: reader", "name: app/reader"), `
shares/second.yaml:12:15: role "reader" of account analytics has path /app/ here and / at shares/sales.yaml:12:15: write the same in both places, or leave it out in one if it is optional`},
	{"role in two cases", two("name: reader", "name: Reader"), `
shares/second.yaml:12:15: role "Reader" of account analytics has its name written "Reader" here and "reader" at shares/sales.yaml:12:15: write the same in both places, or leave it out in one if it is optional`},
	{"role with two trusts", two("trust: ec2", "trust: lambda"), `
shares/second.yaml:14:16: role "reader" of account analytics has trust lambda.amazonaws.com here and ec2.amazonaws.com at shares/sales.yaml:14:16: write the same in both places, or leave it out in one if it is optional`},
	{"role with trust and trustPolicy", two("trust: ec2", "trustPolicy: t.json").with("t.json", trustEC2), `
shares/second.yaml:14:22: role "reader" of account analytics has trustPolicy here and trust at shares/sales.yaml:14:16: write the same in both places, or leave it out in one`},
	{"role with two trust policies", two("trust: ec2", "trustPolicy: t.json").with("t.json", trustEC2).with("u.json", strings.Replace(trustEC2, "ec2", "glue", 1)).in("shares/sales.yaml").edit("trust: ec2", "trustPolicy: u.json"), `
shares/second.yaml:14:22: role "reader" of account analytics has trustPolicy with digest 4f006f5c here and with digest 573e6e96 at shares/sales.yaml:14:22: write the same in both places, or leave it out in one if it is optional`},
	{"role with two profiles", two("trust: ec2", "trust: ec2\n        instanceProfile: a").in("shares/sales.yaml").edit("trust: ec2", "trust: ec2\n        instanceProfile: true"), `
shares/second.yaml:15:26: role "reader" of account analytics has instanceProfile a here and reader at shares/sales.yaml:15:26: write the same in both places, or leave it out in one if it is optional`},
	{"role with and without profile", two("trust: ec2", "trust: ec2\n        instanceProfile: false").in("shares/sales.yaml").edit("trust: ec2", "trust: ec2\n        instanceProfile: true"), `
shares/second.yaml:15:26: role "reader" of account analytics has instanceProfile false here and reader at shares/sales.yaml:15:26: write the same in both places, or leave it out in one if it is optional`},
	{"role with two boundaries", two("trust: ec2", "trust: ec2\n        permissionsBoundary: a").in("shares/sales.yaml").edit("trust: ec2", "trust: ec2\n        permissionsBoundary: b"), `
shares/second.yaml:15:30: role "reader" of account analytics has permissionsBoundary a here and b at shares/sales.yaml:15:30: write the same in both places, or leave it out in one if it is optional`},
	{"one profile for two roles", two("name: reader", "name: other").edit("trust: ec2", "trust: ec2\n        instanceProfile: reader"), `
shares/second.yaml:15:26: the instance profile "reader" is that of role "reader", at shares/sales.yaml:12:15, and takes one role only: name another instance profile`},
	{"policyName of two roles", two("access: [read]", "access: [read]\n      policyName: p").edit("name: reader", "name: other").in("shares/sales.yaml").edit("access: [read]", "access: [read]\n      policyName: P"), `
shares/second.yaml:16:19: policyName "p" of account analytics is that of role "reader", at shares/sales.yaml:16:19: choose another policyName`},
	{"policyName in two cases", two("access: [read]", "access: [read]\n      policyName: p").in("shares/sales.yaml").edit("access: [read]", "access: [read]\n      policyName: P"), `
shares/second.yaml:16:19: policyName "p" differs only in case from "P" at shares/sales.yaml:16:19, and to IAM they are one: write it the same in both places`},
	{"instance with two roles", two("access: [read]\n", "access: [read]\n      instances: [{id: i-01234567}]\n").edit("name: reader", "name: other").in("shares/sales.yaml").edit("access: [read]\n", "access: [read]\n      instances: [{id: i-01234567}]\n"), `
shares/second.yaml:16:19: instance "i-01234567" has role "other" here and "reader" at shares/sales.yaml:16:19: give it to one role, or choose another name`},
	{"instance described twice", two("access: [read]\n", "access: [read]\n      instances: [{name: a, type: t3.large}]\n").in("shares/sales.yaml").edit("access: [read]\n", "access: [read]\n      instances: [{name: a}]\n"), `
shares/second.yaml:16:19: instance "a" is described otherwise at shares/sales.yaml:16:19: write the same in both places`},
	{"conflict within one file", share(goodShare, goodShare+"---\n"+strings.NewReplacer("name: sales\n", "name: second\n", "trust: ec2", "trust: lambda").Replace(goodShare)), `
shares/sales.yaml:30:16: role "reader" of account analytics has trust lambda.amazonaws.com here and ec2.amazonaws.com at shares/sales.yaml:14:16: write the same in both places, or leave it out in one if it is optional`},
	{"all at once", two("name: sales-data", "name: S3").edit("account: lake", "account: lakes").edit("create: true", "create: 1").edit("access: [read]", "access: [rread]\n      size: 3").in(RepositoryFile).edit("acme-data", "ACME"), `
shares/second.yaml:7:11: the bucket name "S3" is not 3 to 63 characters long: choose another name
shares/second.yaml:8:14: account "lakes" is not in xshare.yaml: did you mean "lake"?
shares/second.yaml:13:17: create is the number 1: write true or false
shares/second.yaml:15:16: access "rread" is not known: did you mean "read"?
shares/second.yaml:16:7: an item of consumers has no field "size": its fields are account, role, access, actions, prefixes, policyName, instances
xshare.yaml:4:9: the repository's name "ACME" is not 1 to 32 of a-z, 0-9 and -: it goes into tags and Sids, so keep it short and plain`},
}

// in turns further edits to another file.
func (f files) in(name string) files {
	f[""] = name
	return f
}
