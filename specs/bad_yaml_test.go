package specs

import "strings"

// badYAML are files that are no YAML, or YAML that is refused.
var badYAML = []badCase{
	{"no repository file", files{"shares/sales.yaml": goodShare}, `
xshare.yaml:1:1: there is no file xshare.yaml here: run xshare in the directory that has it, or give that directory as DIR`},
	{"empty repository file", repo(goodRepository, ""), `
xshare.yaml:1:1: the file holds no Repository: write a document of kind Repository`},
	{"only comments", repo(goodRepository, "# nothing yet\n---\n# nor here\n"), `
xshare.yaml:1:1: the file holds no Repository: write a document of kind Repository`},
	{"byte order mark", share("apiVersion", "\ufeffapiVersion"), `
shares/sales.yaml:1:1: the file starts with a byte order mark: save it as UTF-8 without a byte order mark`},
	{"UTF-16", share("apiVersion", "\xff\xfea"), `
shares/sales.yaml:1:1: the file is in UTF-16: save it as UTF-8`},
	{"Latin-1", share("  name: sales\n", "  name: sales\n  description: caf\xe9\n"), `
shares/sales.yaml:5:19: the file is not UTF-8: byte 0xE9: save it as UTF-8`},
	{"tab in the indentation", share("    account: lake", "\taccount: lake"), `
shares/sales.yaml:8:1: there is a tab in the indentation: indent with spaces`},
	{"tabs in two lines", share("    account: lake", "  \taccount: lake\n\tregion: us-east-1"), `
shares/sales.yaml:8:3: there is a tab in the indentation: indent with spaces
shares/sales.yaml:9:1: there is a tab in the indentation: indent with spaces`},
	{"escape in the text", share("  name: sales\n", "  name: sales\n  owner: \x1b[31mred\n"), `
shares/sales.yaml:5:10: the file holds the character U+001B, which does not show: take it out`},
	{"bidi override in a comment", share("  name: sales\n", "  name: sales # \u202eecila\n"), `
shares/sales.yaml:4:17: the file holds the character U+202E, which does not show: take it out`},
	{"zero-width space in a name", share("name: reader", "name: rea\u200bder"), `
shares/sales.yaml:12:18: the file holds the character U+200B, which does not show: take it out`},
	{"escape written as an escape", share("  name: sales\n", "  name: sales\n  owner: \"\\e[31mred\"\n"), `
shares/sales.yaml:5:10: owner holds the character U+001B: "\x1b[31mred": take it out`},
	{"bidi written as an escape", share("name: reader", `name: "rea\u202eder"`), `
shares/sales.yaml:12:15: name holds the character U+202E: "rea\u202eder": take it out`},
	{"line break in a name", share("name: reader", `name: "rea\nder"`), `
shares/sales.yaml:12:15: name holds the character U+000A: "rea\nder": take it out`},
	{"bell in a description", share("  name: sales\n", "  name: sales\n  description: \"a\\ab\"\n"), `
shares/sales.yaml:5:16: description holds the character U+0007: "a\ab": take it out`},
	{"escape in a field's name", share("    account: lake", "    account: lake\n    \"re\\egion\": us-east-1"), `
shares/sales.yaml:9:5: a key of bucket holds the character U+001B: "re\x1bgion": take it out`},
	{"colon in a plain value", share("name: sales-data", "name: sales: data"), `
shares/sales.yaml:7:5: this is not YAML: mapping values are not allowed in this context: put quotes around a value that holds ": ", and check the indentation`},
	{"bracket not closed", share("access: [read]", "access: [read"), `
shares/sales.yaml:15:7: this is not YAML: did not find expected ',' or ']': close the bracket, and separate with commas`},
	{"value that starts with @", share("name: reader", "name: @reader"), `
shares/sales.yaml:12:9: this is not YAML: found character that cannot start any token: put quotes around a value that starts with this character`},
	{"indentation of one field off", share("    account: lake", "   account: lake"), `
shares/sales.yaml:6:3: this is not YAML: did not find expected key: check the indentation of this block`},
	{"text after the document", share(goodShare, "apiVersion: xshare/v1\n]\n"), `
shares/sales.yaml:2:1: this is not YAML: did not find expected key: check the indentation of this block`},
	{"quotation mark not closed", share("access: [read]", `access: "read`), `
shares/sales.yaml:15:7: this is not YAML: found unexpected end of stream: close the quotation mark or bracket`},
	{"directive", share("apiVersion", "%YAML 1.1\n---\napiVersion"), `
shares/sales.yaml:1:1: YAML directives are not read: take the line out`},
	{"alias", share("name: reader", "name: &r reader").edit("access: [read]", "policyName: *r\n      access: [read]"), `
shares/sales.yaml:15:19: the alias *r is not read: xshare takes no YAML aliases: write the value out here`},
	{"alias without anchor", share("name: reader", "name: *nobody"), `
shares/sales.yaml:12:15: the alias *nobody is not read: xshare takes no YAML aliases: write the value out here, or put quotes around it`},
	{"alias bomb", repo("  accounts:", "  tags:\n    a: &a [x, x]\n    b: &b [*a, *a]\n    c: [*b, *b]\n  accounts:"), `
xshare.yaml:9:8: tags a is a list: write a text
xshare.yaml:10:8: tags b is a list: write a text
xshare.yaml:10:12: the alias *a is not read: xshare takes no YAML aliases: write the value out here
xshare.yaml:10:16: the alias *a is not read: xshare takes no YAML aliases: write the value out here
xshare.yaml:11:8: tags c is a list: write a text
xshare.yaml:11:9: the alias *b is not read: xshare takes no YAML aliases: write the value out here
xshare.yaml:11:13: the alias *b is not read: xshare takes no YAML aliases: write the value out here`},
	{"merge key", share("    account: lake", "    <<: {account: lake}\n    account: lake"), `
shares/sales.yaml:8:5: the merge key << is not read: xshare takes no YAML aliases: write the fields out here`},
	{"tag", share("name: reader", "name: !!str 12"), `
shares/sales.yaml:12:15: the YAML tag "!!str" is not read: take the tag out`},
	{"own tag on the document", share("apiVersion: xshare/v1\n", "--- !share\napiVersion: xshare/v1\n"), `
shares/sales.yaml:1:5: the YAML tag "!share" is not read: take the tag out`},
	{"document is a list", share(goodShare, "- a\n- b\n"), `
shares/sales.yaml:1:1: the document is a list: write apiVersion, kind, metadata and spec`},
	{"document is a text", share(goodShare, "hello\n"), `
shares/sales.yaml:1:1: the document is the text "hello": write apiVersion, kind, metadata and spec`},
	{"document is null", share(goodShare, "---\n~\n"), `
shares/sales.yaml:2:1: the document is empty: write apiVersion, kind, metadata and spec`},
	{"nested too deep", share("access: [read]", "access: "+strings.Repeat("[", 40)+strings.Repeat("]", 40)), `
shares/sales.yaml:15:43: the document is nested deeper than 32 levels: take out levels; no spec needs so many`},
	{"nested far too deep", share("access: [read]", "access: "+strings.Repeat("[", 20000)), `
shares/sales.yaml:15:7: this is not YAML: exceeded max depth of 10000: take out levels; no spec needs so many`},
	{"document too large", share("apiVersion", "#"+strings.Repeat(" ", 1<<20)+"\napiVersion"), `
shares/sales.yaml:1:1: a document of 1048823 bytes is larger than the 1048576 that are read: split it into several documents or files`},
	{"file too large", share("apiVersion", "#"+strings.Repeat(" ", 10<<20)+"\n---\napiVersion"), `
shares/sales.yaml:1:1: "shares/sales.yaml" is larger than the 8388608 bytes that are read: make it smaller, or split it into several files`},
	{"key twice", share("    account: lake", "    account: lake\n    account: partner"), `
shares/sales.yaml:9:5: "account" stands here twice, first at shares/sales.yaml:8:5: take one of the two out`},
	{"unknown key twice", share("    account: lake", "    account: lake\n    color: red\n    color: blue"), `
shares/sales.yaml:9:5: bucket has no field "color": its fields are name, account, region, create
shares/sales.yaml:10:5: "color" stands here twice, first at shares/sales.yaml:9:5: take one of the two out`},
	{"key is a number", share("    account: lake", "    account: lake\n    12: x"), `
shares/sales.yaml:9:5: a key of bucket is the number 12: write it in quotes`},
	{"key is a list", share("    account: lake", "    account: lake\n    [a]: x"), `
shares/sales.yaml:9:5: a key of bucket is a list: write a plain name`},
	{"error in one document does not hide the next", share(goodShare, "a: b: c\n---\n"+strings.Replace(goodShare, "[read]", "[reed]", 1)), `
shares/sales.yaml:1:1: this is not YAML: mapping values are not allowed in this context: put quotes around a value that holds ": ", and check the indentation
shares/sales.yaml:17:16: access "reed" is not known: did you mean "read"?`},
	{"not a spec", share(goodShare, "on: push\njobs: {}\n"), `
shares/sales.yaml:1:1: the document has no field "kind": add kind: Share`},
	{"kind in lower case", share("kind: Share", "kind: share"), `
shares/sales.yaml:2:7: kind "share" is not known: did you mean "Share"?`},
	{"kind of another tool", share("kind: Share", "kind: Deployment"), `
shares/sales.yaml:2:7: kind "Deployment" is not known: the kinds are Repository, Share`},
	{"kind without value", share("kind: Share", "kind:"), `
shares/sales.yaml:2:6: kind has no value: write one, or take the field out`},
	{"version of tomorrow", share("xshare/v1", "xshare/v2"), `
shares/sales.yaml:1:13: apiVersion "xshare/v2" is not known to this version: write "xshare/v1", or take a newer xshare`},
	{"no version", share("apiVersion: xshare/v1\n", ""), `
shares/sales.yaml:1:1: the Share has no field "apiVersion": add apiVersion`},
	{"repository among the shares", share(goodShare, goodRepository), `
shares/sales.yaml:2:7: a Repository does not belong into this file: a Repository stands in xshare.yaml only`},
	{"share in the repository file", repo(goodRepository, goodRepository+"---\n"+goodShare), `
xshare.yaml:15:7: a Share does not belong into this file: put shares into files of their own, under include`},
	{"two repositories", repo(goodRepository, goodRepository+"---\n"+goodRepository), `
xshare.yaml:15:7: a second Repository stands here, the first is at xshare.yaml:2:7: keep one`},
}
