package campaign

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// draw makes the statements of mutations, in the forms that people and tools
// write.
type draw struct {
	*rand.Rand
	organization string // empty: there is none
	// What is not known of a request before it is made: that a condition is on
	// such a key, or that a session is named, makes "not checked" a good answer.
	unknown, session bool
}

func (d *draw) one(in ...string) string { return pick(d.Rand, in) }

func (d *draw) chance(outOf int) bool { return d.IntN(outOf) == 0 }

// some are one to three of a list; a single one as a scalar or as a list.
func (d *draw) some(in ...string) any {
	list := slices.Clone(in)
	d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:min(len(list), 1+d.IntN(3))]
	if len(list) == 1 && d.chance(2) {
		return list[0]
	}
	return list
}

// effect is more often the one that breaks.
func (d *draw) effect() string { return d.one("Deny", "Deny", "Allow") }

// cased is an action as it may be written.
func (d *draw) cased(action string) string {
	switch d.IntN(4) {
	case 0:
		return strings.ToLower(action)
	case 1:
		return "S3:" + strings.TrimPrefix(action, "s3:")
	}
	return action
}

// actions puts the actions of a statement on S3, or what it spares of them.
func (d *draw) actions(s map[string]any) {
	all := []string{
		"s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:ListBucket", "s3:GetBucketLocation", "s3:AbortMultipartUpload",
		"s3:Get*", "s3:Put*", "s3:*Object", "s3:List*", "s3:?etObject", "s3:GetObject*", "s3:ListMultipartUploadParts", "s3:*",
	}
	for i := range all {
		all[i] = d.cased(all[i])
	}
	if d.chance(8) {
		s["NotAction"] = d.some("s3:GetObject", "s3:Get*", "s3:List*", "s3:PutObject", "iam:*")
		return
	}
	s["Action"] = d.some(all...)
}

// resources puts what of a bucket a statement is about.
func (d *draw) resources(s map[string]any, bucket string) {
	arn := "arn:aws:s3:::" + bucket
	objects := []string{
		arn + "/*", arn + "/*", arn + "/incoming/*", arn + "/team/a/*", arn + "/incoming/secret/*", arn + "/*/secret/*", arn + "/*.tmp", arn + "/incoming*",
		arn + "/incoming/a.txt", arn + "/*a*", arn + "/incoming/20??-*", arn + "/team/*/b*", arn + "/incoming/", arn + "/sp ace*",
	}
	if d.chance(4) {
		objects = d.byVariables(arn)
	}
	switch d.IntN(8) {
	case 0:
		s["NotResource"] = d.some(objects...)
	case 1, 2:
		s["Resource"] = d.some(objects...)
	case 3:
		s["Resource"] = arn
	case 4:
		s["Resource"] = []string{arn, pick(d.Rand, objects)}
	default:
		s["Resource"] = []string{arn, arn + "/*"}
	}
}

// principals puts whom a statement of a resource's policy is about.
func (d *draw) principals(s map[string]any) {
	roles := []string{reader, reader, worker, own, bound}
	switch d.IntN(12) {
	case 0:
		s["Principal"] = map[string]any{"AWS": d.some(analytics, apps, lake)}
	case 1:
		s["Principal"] = map[string]any{"AWS": "arn:aws:iam::" + d.one(analytics, apps, lake) + ":root"}
	case 2, 3:
		s["Principal"] = "*"
	case 4:
		s["Principal"] = map[string]any{"AWS": "*"}
	case 5:
		role := d.one(roles...)
		d.session = true
		s["Principal"] = map[string]any{"AWS": "arn:aws:sts::" + accountOf(role) + ":assumed-role/" + nameOf(role) + "/alice"}
	case 6:
		s["Principal"] = map[string]any{"AWS": d.some(ann, bob, stranger)}
	case 7:
		if s["Effect"] == "Deny" && d.chance(2) {
			role := d.one(roles...)
			spared := []string{"arn:aws:iam::" + lake + ":root", "arn:aws:iam::" + lake + ":user/admin", deployer, "arn:aws:iam::" + accountOf(role) + ":root", role}
			if d.chance(2) {
				d.session = true
				spared = append(spared, "arn:aws:sts::"+accountOf(role)+":assumed-role/"+nameOf(role)+"/alice")
			}
			s["NotPrincipal"] = map[string]any{"AWS": spared}
			return
		}
		s["Principal"] = map[string]any{"Service": "logging.s3.amazonaws.com"}
	default:
		s["Principal"] = map[string]any{"AWS": d.some(roles...)}
	}
}

// a condition that can be drawn.
type drawn struct {
	operators []string
	key       string
	values    [][]string
}

// conditions are those on keys that a proof knows.
func (d *draw) conditions() []drawn {
	organization := d.organization
	if organization == "" {
		organization = "o-nobody0000"
	}
	equal := []string{"StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"}
	arns := []string{"ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike", "StringNotLike", "ArnLikeIfExists"}
	yes := []string{"Bool", "BoolIfExists", "Null"}
	truth := [][]string{{"true"}, {"false"}}
	return []drawn{
		{yes, "aws:SecureTransport", truth},
		{yes, "aws:PrincipalIsAWSService", truth},
		{yes, "aws:ViaAWSService", truth},
		{arns, "aws:PrincipalArn", [][]string{{reader}, {worker, bound}, {"arn:aws:iam::" + analytics + ":role/*"}, {"arn:aws:iam::*:role/team/*", "arn:aws:iam::" + lake + ":*"}, {"arn:aws:iam::" + lake + ":root"}}},
		{equal, "aws:PrincipalAccount", [][]string{{lake}, {analytics}, {lake, analytics, apps}}},
		{equal, "aws:PrincipalType", [][]string{{"AssumedRole"}, {"User"}, {"Account", "AssumedRole"}}},
		{equal, "aws:PrincipalOrgID", [][]string{{organization}, {"o-elsewhere0"}}},
		{[]string{"ForAnyValue:StringLike", "ForAllValues:StringLike", "ForAnyValue:StringNotLike"}, "aws:PrincipalOrgPaths", [][]string{{organization + "/*"}, {"o-elsewhere0/*"}, {"*"}}},
		{equal, "aws:ResourceOrgID", [][]string{{organization}, {"o-elsewhere0"}, {"${aws:PrincipalOrgID}"}}},
		{equal, "aws:ResourceAccount", [][]string{{lake}, {analytics, apps}, {"${aws:PrincipalAccount}"}}},
		{equal, "s3:ResourceAccount", [][]string{{lake}, {apps}}},
		{equal, "aws:RequestedRegion", [][]string{{"us-east-1"}, {"eu-west-1"}, {"us-*", "eu-*"}}},
		{equal, "aws:PrincipalTag/team", [][]string{{"analytics"}, {"finance"}, {"*"}, {"${aws:PrincipalTag/Team}"}, {"${aws:username, 'analytics'}"}}},
		{equal, "s3:prefix", [][]string{{"incoming/", "incoming/*"}, {"team/a/*"}, {""}, {"incoming/secret/*"}, {"secret*"}, {"INCOMING/SECRET/", "Team/A/*"}, {"${aws:PrincipalTag/none, 'incoming/'}"}}},
		{[]string{"Null"}, "s3:prefix", truth},
		{[]string{"Null"}, "aws:PrincipalTag/team", truth},
		{[]string{"Null"}, "aws:username", truth},
		{[]string{"StringLike", "StringNotLike", "StringNotEqualsIfExists"}, "aws:username", [][]string{{"a*"}, {"bob"}}},
		{equal, "aws:SourceAccount", [][]string{{lake}}},
	}
}

// onlyCalls are those on keys that only a call has.
var onlyCalls = []drawn{
	{[]string{"IpAddress", "NotIpAddress", "NotIpAddressIfExists"}, "aws:SourceIp", [][]string{{"192.0.2.0/24"}, {"203.0.113.0/24", "198.51.100.0/24"}}},
	{[]string{"StringEquals", "StringNotEquals", "StringNotEqualsIfExists"}, "aws:SourceVpce", [][]string{{"vpce-1"}}},
	{[]string{"DateGreaterThan", "DateLessThan"}, "aws:CurrentTime", [][]string{{"2020-01-01T00:00:00Z"}, {"2126-01-01T00:00:00Z"}}},
	{[]string{"StringLike", "StringNotLike"}, "aws:userid", [][]string{{"AROA*:alice"}, {"*"}}},
	{[]string{"NumericLessThanEquals", "NumericGreaterThan"}, "s3:max-keys", [][]string{{"10"}}},
	{[]string{"StringEquals", "StringNotEquals", "Null"}, "s3:delimiter", [][]string{{"true"}}},
	{[]string{"StringEquals", "StringNotEquals"}, "s3:x-amz-acl", [][]string{{"bucket-owner-full-control"}}},
	{[]string{"StringEquals", "StringNotEqualsIfExists"}, "s3:x-amz-server-side-encryption", [][]string{{"aws:kms"}}},
	{[]string{"StringEquals", "StringNotEquals"}, "s3:signatureversion", [][]string{{"AWS4-HMAC-SHA256"}}},
}

// onKeys are those of a request on a key.
func (d *draw) onKeys() []drawn {
	about := func(bucket string) []string {
		return []string{"arn:aws:s3:::" + bucket + "/*", "arn:aws:s3:::" + bucket}
	}
	return append(d.conditions(),
		drawn{[]string{"StringEquals", "StringNotEquals"}, "kms:ViaService", [][]string{{"s3.us-east-1.amazonaws.com"}, {"s3.eu-west-1.amazonaws.com"}, {"s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"}}},
		drawn{[]string{"StringEquals", "StringNotEquals"}, "kms:CallerAccount", [][]string{{lake}, {analytics, apps}}},
		drawn{[]string{"StringLike", "ArnLike", "StringNotLike"}, "kms:EncryptionContext:aws:s3:arn", [][]string{
			about(keysBucket), about(farBucket), {"arn:aws:s3:::" + keysBucket + "/incoming/*"}, {"arn:aws:s3:::*/secret/*"}, {"arn:aws:s3:::" + keysBucket},
		}},
		drawn{[]string{"Null"}, "kms:EncryptionContext:aws:s3:arn", [][]string{{"true"}, {"false"}}},
	)
}

// condition puts none to two conditions, of these or on what only calls have.
func (d *draw) condition(s map[string]any, of []drawn) {
	put := map[string]any{}
	for range []int{0, 0, 1, 1, 1, 2}[d.IntN(6)] {
		c := pick(d.Rand, of)
		if d.chance(8) {
			c = pick(d.Rand, slices.Concat(onlyCalls, onlyByText))
			d.unknown = true
		}
		operator, key, values := pick(d.Rand, c.operators), c.key, any(pick(d.Rand, c.values))
		if operator == "Null" {
			values = d.one("true", "false")
		}
		if list, ok := values.([]string); ok && len(list) == 1 && d.chance(2) {
			values = list[0]
			if list[0] == "true" || list[0] == "false" {
				values = list[0] == "true" // as it is in JSON
			}
		}
		if d.chance(6) {
			key = strings.ToLower(key)
		}
		at, _ := put[operator].(map[string]any)
		if at == nil {
			at = map[string]any{}
		}
		at[key] = values
		put[operator] = at
	}
	if len(put) > 0 {
		s["Condition"] = put
	}
}

// ofBucket is a statement of a bucket's policy.
func (d *draw) ofBucket(bucket string) map[string]any {
	s := map[string]any{"Effect": d.effect()}
	if d.chance(2) {
		s["Sid"] = d.one("Guard", "Perimeter", "Partners", "Tls")
	}
	d.principals(s)
	d.actions(s)
	d.resources(s, bucket)
	d.condition(s, d.conditions())
	return s
}

// ofIdentity is a statement of a role's or user's policy, or of a boundary or a
// service control policy.
func (d *draw) ofIdentity() map[string]any {
	s := map[string]any{"Effect": d.effect()}
	switch d.IntN(5) {
	case 0:
		s["Action"] = d.some("kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKey*", "kms:*")
		s["Resource"] = d.one("*", "arn:aws:kms:*:"+lake+":key/*", "arn:aws:kms:eu-west-1:*:key/*")
		d.condition(s, d.onKeys())
		return s
	case 1:
		d.actions(s)
		s["Resource"] = "*"
	default:
		d.actions(s)
		d.resources(s, d.one(truthBuckets...))
	}
	d.condition(s, d.conditions())
	return s
}

// ofKey is a statement of a key's policy.
func (d *draw) ofKey() map[string]any {
	s := map[string]any{"Effect": d.effect(), "Resource": "*"}
	d.principals(s)
	s["Action"] = d.some("kms:Decrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKey*", "kms:*Key*", "kms:Encrypt")
	d.condition(s, d.onKeys())
	return s
}

// ofResources is a statement of a resource control policy, which only denies.
func (d *draw) ofResources() map[string]any {
	s := map[string]any{"Effect": "Deny", "Principal": "*", "Resource": "*"}
	s["Action"] = d.some("s3:GetObject", "s3:PutObject", "s3:*Object", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey", "s3:Get*")
	d.condition(s, d.conditions())
	return s
}
