package specs

import (
	"fmt"
	"strings"
)

// badRepositories are errors in xshare.yaml and in what include finds.
var badRepositories = []badCase{
	{"no metadata", repo("metadata:\n  name: acme-data\n", ""), `
xshare.yaml:1:1: the Repository has no field "metadata": add metadata`},
	{"no name", repo("  name: acme-data", "  formerNames: [acme]"), `
xshare.yaml:4:3: metadata has no field "name": add name`},
	{"name without value", repo("name: acme-data", "name:"), `
xshare.yaml:4:8: name has no value: write one, or take the field out`},
	{"empty name", repo("name: acme-data", `name: ""`), `
xshare.yaml:4:9: name is empty: write one, or take the field out`},
	{"name in upper case", repo("acme-data", "Acme"), `
xshare.yaml:4:9: the repository's name "Acme" is not 1 to 32 of a-z, 0-9 and -: it goes into tags and Sids, so keep it short and plain`},
	{"name too long", repo("acme-data", strings.Repeat("a", 33)), `
xshare.yaml:4:9: the repository's name "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not 1 to 32 of a-z, 0-9 and -: it goes into tags and Sids, so keep it short and plain`},
	{"name is a number", repo("acme-data", "2026"), `
xshare.yaml:4:9: name must be a text and YAML reads the number 2026: write it in quotes: "2026"`},
	{"former name bad", repo("acme-data", "acme-data\n  formerNames: [acme_old]"), `
xshare.yaml:5:17: the former name "acme_old" is not 1 to 32 of a-z, 0-9 and -: it goes into tags and Sids, so keep it short and plain`},
	{"former name is today's", repo("acme-data", "acme-data\n  formerNames: [acme-data]"), `
xshare.yaml:5:17: the former name "acme-data" is the name of today: take it out`},
	{"former name twice", repo("acme-data", "acme-data\n  formerNames: [acme, acme]"), `
xshare.yaml:5:23: the former name "acme" stands here twice, first at xshare.yaml:5:17: take one of the two out`},
	{"former names as a text", repo("acme-data", "acme-data\n  formerNames: acme"), `
xshare.yaml:5:16: formerNames is the text "acme": write a list of texts`},
	{"former names empty", repo("acme-data", "acme-data\n  formerNames: []"), `
xshare.yaml:5:16: formerNames is empty: write at least one, or take the field out`},
	{"no region, no role, no accounts", repo("  region: us-east-1\n  deployRole: xshare-deployer\n", "").edit(`  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner: {id: "444444444444", manage: false}
    old: {id: "555555555555", retired: true}
`, "  externalId: abc\n"), `
shares/sales.yaml:8:14: account "lake" is not in xshare.yaml: add it to xshare.yaml
shares/sales.yaml:10:16: account "analytics" is not in xshare.yaml: add it to xshare.yaml
xshare.yaml:6:3: spec has no field "accounts": add accounts
xshare.yaml:6:3: spec has no field "deployRole": add deployRole
xshare.yaml:6:3: spec has no field "region": add region`},
	{"unknown field", repo("  deployRole:", "  deployrole:"), `
xshare.yaml:6:3: spec has no field "deployRole": add deployRole
xshare.yaml:7:3: spec has no field "deployrole": did you mean "deployRole"?`},
	{"field of no object", repo("kind: Repository", "kind: Repository\nsize: 3"), `
xshare.yaml:3:1: the Repository has no field "size": its fields are apiVersion, kind, metadata, spec`},
	{"region misspelt", repo("us-east-1", "us-esat-1"), `
xshare.yaml:6:11: "us-esat-1" is no region of AWS's commercial, China or GovCloud partition: write one such as us-east-1`},
	{"region is a zone", repo("us-east-1", "us-east-1a"), `
xshare.yaml:6:11: "us-east-1a" is no region of AWS's commercial, China or GovCloud partition: write one such as us-east-1`},
	{"region of a partition that is not known", repo("us-east-1", "us-iso-east-1"), `
xshare.yaml:6:11: "us-iso-east-1" is no region of AWS's commercial, China or GovCloud partition: write one such as us-east-1`},
	{"account in another partition", repo(`"111111111111"`, `"111111111111", region: cn-north-1`), `
xshare.yaml:9:40: region cn-north-1 is in partition aws-cn and the repository's region is in aws: keep the partitions in repositories of their own`},
	{"account in GovCloud", repo(`"111111111111"`, `"111111111111", region: us-gov-west-1`), `
xshare.yaml:9:40: region us-gov-west-1 is in partition aws-us-gov and the repository's region is in aws: keep the partitions in repositories of their own`},
	{"deployRole is an ARN", repo("xshare-deployer", "arn:aws:iam::111111111111:role/deployer"), `
xshare.yaml:7:15: deployRole "arn:aws:iam::111111111111:role/deployer" is an ARN: write the role's name, or path/name`},
	{"deployRole starts with a slash", repo("xshare-deployer", "/ci/deployer"), `
xshare.yaml:7:15: deployRole "/ci/deployer" starts with a slash: write path/name: "ci/deployer"`},
	{"deployRole is a list", repo("xshare-deployer", "[a, b]"), `
xshare.yaml:7:15: deployRole is a list: write a text`},
	{"readRole is none", repo("  accounts:", "  readRole: none\n  accounts:"), `
xshare.yaml:8:13: readRole cannot be none: take readRole out: reading then uses deployRole with a read-only session`},
	{"readRole with a space", repo("  accounts:", "  readRole: my reader\n  accounts:"), `
xshare.yaml:8:13: readRole "my reader" has characters other than letters, digits and +=,.@_-: take them out`},
	{"external id too short", repo("  accounts:", "  externalId: a\n  accounts:"), `
xshare.yaml:8:15: externalId "a" is not 2 to 1224 characters long: write the one that the role's trust policy asks for`},
	{"external id with a space", repo("  accounts:", "  externalId: a b\n  accounts:"), `
xshare.yaml:8:15: externalId "a b" has characters other than letters, digits and +=,.@:/_-: write the one that the role's trust policy asks for`},
	{"external id is a number", repo("  accounts:", "  externalId: 1234\n  accounts:"), `
xshare.yaml:8:15: externalId must be a text and YAML reads the number 1234: write it in quotes: "1234"`},
	{"boundary is a role's ARN", repo("  accounts:", "  permissionsBoundary: arn:aws:iam::111111111111:role/x\n  accounts:"), `
xshare.yaml:8:24: permissionsBoundary "arn:aws:iam::111111111111:role/x" is no ARN of a policy: write arn:aws:iam::ACCOUNT:policy/NAME, or the name alone`},
	{"boundary of another partition", repo("  accounts:", "  permissionsBoundary: arn:aws-cn:iam::aws:policy/x\n  accounts:"), `
xshare.yaml:8:24: permissionsBoundary is in partition aws-cn and the repository's region is in aws: write the ARN with arn:aws:, or the name alone`},
	{"boundary of one account for roles in another", repo("  accounts:", "  permissionsBoundary: arn:aws:iam::111111111111:policy/x\n  accounts:"), `
shares/sales.yaml:13:17: role "reader" is in account 222222222222 and the repository's permissionsBoundary is a policy of 111111111111: write the repository's permissionsBoundary as a name, or give the role its own`},
	{"account id not quoted", repo(`"111111111111"`, `111111111111`), `
xshare.yaml:9:16: id must be a text and YAML reads the number 111111111111: write it in quotes: "111111111111"`},
	{"account id with a leading zero not quoted", repo(`"111111111111"`, `011111111111`), `
xshare.yaml:9:16: id must be a text and YAML reads the number 011111111111: write it in quotes: "011111111111"`},
	{"account id in 1.1 octal not quoted", repo(`"111111111111"`, `098765432109`), `
xshare.yaml:9:16: id must be a text and YAML reads the number 098765432109: write it in quotes: "098765432109"`},
	{"account id too short", repo(`"111111111111"`, `"11111111111"`), `
xshare.yaml:9:16: the account id "11111111111" is not 12 digits: write all 12 digits in quotes, without dashes`},
	{"account id with dashes", repo(`"111111111111"`, `"1111-1111-1111"`), `
xshare.yaml:9:16: the account id "1111-1111-1111" is not 12 digits: write all 12 digits in quotes, without dashes`},
	{"account id twice", repo(`"222222222222"`, `"111111111111"`), `
xshare.yaml:10:21: the account id "111111111111" stands here twice, first at xshare.yaml:9:16: take one of the two out`},
	{"account without id", repo(`lake: {id: "111111111111"}`, `lake: {region: us-east-1}`), `
xshare.yaml:9:11: accounts lake has no field "id": add id`},
	{"account as a text", repo(`lake: {id: "111111111111"}`, `lake: "111111111111"`), `
xshare.yaml:9:11: accounts lake is the text "111111111111": write a mapping with the fields of account`},
	{"alias twice", repo(`    old:`, `    lake:`), `
xshare.yaml:12:5: "lake" stands here twice, first at xshare.yaml:9:5: take one of the two out`},
	{"alias with a space", repo(`    old:`, `    my old:`), `
xshare.yaml:12:5: the account alias "my old" is not letters, digits, '.', '_' and '-', a letter or digit first: take the other characters out`},
	{"alias is a number", repo(`    old:`, `    7:`), `
xshare.yaml:12:5: a key of accounts is the number 7: write it in quotes`},
	{"no account", repo(`  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner: {id: "444444444444", manage: false}
    old: {id: "555555555555", retired: true}
`, "  accounts: {}\n").without("shares/sales.yaml").with("shares/none.yaml", ""), `
xshare.yaml:8:13: accounts is empty: write the accounts as ` + "`alias: {id: \"111111111111\"}`"},
	{"unknown field of an account", repo("retired: true", "retire: true"), `
xshare.yaml:12:31: accounts old has no field "retire": did you mean "retired"?`},
	{"manage is a word", repo("manage: false", "manage: no"), `
xshare.yaml:11:43: manage is the text "no": write true or false`},
	{"manage is a quoted word", repo("manage: false", `manage: "false"`), `
xshare.yaml:11:43: manage is the text "false": write true or false`},
	{"partner and retired", repo("manage: false", "manage: false, retired: true"), `
xshare.yaml:11:59: account partner is retired and has manage: false, so there is nothing to sweep in it: take one of the two out`},
	{"deployRole of a partner", repo("manage: false", "manage: false, deployRole: x, profile: y, externalId: zz"), `
xshare.yaml:11:62: warning: deployRole has no effect in an account with manage: false: take it out
xshare.yaml:11:74: warning: profile has no effect in an account with manage: false: take it out
xshare.yaml:11:89: warning: externalId has no effect in an account with manage: false: take it out`},
	{"deployRole of an account with a bad character", repo(`"111111111111"`, `"111111111111", deployRole: "a*b"`), `
xshare.yaml:9:44: deployRole "a*b" has characters other than letters, digits and +=,.@_-: take them out`},
	{"tag is a number", repo("  accounts:", "  tags: {cost-center: 42}\n  accounts:"), `
xshare.yaml:8:23: tags cost-center must be a text and YAML reads the number 42: write it in quotes: "42"`},
	{"tag of AWS's", repo("  accounts:", "  tags: {AWS:x: a}\n  accounts:"), `
xshare.yaml:8:10: the tag key "AWS:x" starts with aws:, which AWS reserves: choose another key`},
	{"tag of ours", repo("  accounts:", "  tags: {xshare:repository: a}\n  accounts:"), `
xshare.yaml:8:10: the tag key "xshare:repository" starts with xshare:, which marks what is xshare's: choose another key`},
	{"tag key with a bad character", repo("  accounts:", "  tags: {a#b: a}\n  accounts:"), `
xshare.yaml:8:10: the tag key "a#b" has characters other than letters, digits, spaces and +-=._:/@: take them out`},
	{"tag value with a bad character", repo("  accounts:", "  tags: {a: b*}\n  accounts:"), `
xshare.yaml:8:13: the tag value "b*" has characters other than letters, digits, spaces and +-=._:/@: take them out`},
	{"tag key too long", repo("  accounts:", "  tags: {"+strings.Repeat("k", 129)+": b}\n  accounts:"), `
xshare.yaml:8:10: the tag key "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"… is longer than 128 characters: shorten it`},
	{"tag value too long", repo("  accounts:", "  tags: {a: "+strings.Repeat("v", 257)+"}\n  accounts:"), `
xshare.yaml:8:13: the tag value "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"… is longer than 256 characters: shorten it`},
	{"tag keys that differ in case", repo("  accounts:", "  tags: {Team: a, team: b}\n  accounts:"), `
xshare.yaml:8:19: the tag key "team" differs only in case from the one at xshare.yaml:8:10, which IAM refuses: take one of the two out`},
	{"too many tags", repo("  accounts:", "  tags: {"+manyTags(41)+"}\n  accounts:"), `
xshare.yaml:8:9: there are 41 tags and at most 40 are taken: take some out; AWS takes 50 and xshare needs a few`},
	{"pattern with ..", repo("  accounts:", "  include: [../other/*.yaml]\n  accounts:"), `
xshare.yaml:8:13: the pattern "../other/*.yaml" leaves the repository: write it relative to the repository's root, such as shares/**/*.yaml`},
	{"pattern from the root", repo("  accounts:", "  include: [/etc/*.yaml]\n  accounts:"), `
xshare.yaml:8:13: the pattern "/etc/*.yaml" starts with /: write it relative to the repository's root, such as shares/**/*.yaml`},
	{"pattern with a backslash", repo("  accounts:", "  include: ['shares\\*.yaml']\n  accounts:"), `
xshare.yaml:8:13: the pattern "shares\\*.yaml" has a backslash: separate with /`},
	{"pattern not closed", repo("  accounts:", "  include: ['shares/[a.yaml']\n  accounts:"), `
xshare.yaml:8:13: the pattern "shares/[a.yaml" is no valid pattern: close its brackets and braces`},
	{"pattern that costs", repo("  accounts:", "  include: ['{a,b}{a,b}{a,b}{a,b}{a,b}']\n  accounts:"), `
xshare.yaml:8:13: the pattern "{a,b}{a,b}{a,b}{a,b}{a,b}" is too complicated: use several simple patterns`},
	{"pattern twice", repo("  accounts:", "  include: ['shares/*.yaml', 'shares/*.yaml']\n  accounts:"), `
xshare.yaml:8:30: the pattern "shares/*.yaml" stands here twice, first at xshare.yaml:8:13: take one of the two out`},
	{"include as a text", repo("  accounts:", "  include: shares/*.yaml\n  accounts:"), `
xshare.yaml:8:12: include is the text "shares/*.yaml": write a list of texts`},
	{"include matches nothing", repo("  accounts:", "  include: ['share/*.yaml']\n  accounts:"), `
xshare.yaml:8:12: include matches no file: "share/*.yaml": write a share there, or an empty file if nothing is to be shared`},
	{"default include matches nothing", repo("", "").without("shares/sales.yaml"), `
xshare.yaml:1:1: include matches no file: "shares/**/*.yaml": write a share there, or an empty file if nothing is to be shared`},
	{"one pattern matches nothing", repo("  accounts:", "  include: ['shares/*.yaml', 'more/*.yaml']\n  accounts:"), `
xshare.yaml:8:12: warning: the pattern "more/*.yaml" matches no file: mend it or take it out`},
	{"no shares", repo("", "").with("shares/sales.yaml", "# all gone\n"), `
xshare.yaml:4:9: warning: the repository has no shares: nothing to do if that is meant; what xshare made for former shares will be closed`},
	{"share in a .yml file", repo("", "").with("shares/more.yml", goodShare), `
shares/more.yml:1:1: warning: this file is not read: rename it to .yaml, or name it under include`},
	{"file name with an escape", repo("", "").with("shares/\x1b[31m.yaml", goodShare), `
xshare.yaml:1:1: the file name "shares/\x1b[31m.yaml" holds characters that do not show: rename it`},
}

func manyTags(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("k%d: v", i)
	}
	return strings.Join(tags, ", ")
}
