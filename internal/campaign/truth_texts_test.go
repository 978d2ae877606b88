package campaign

// How statements go by texts that are not plainly there.

// denyByText puts a Deny that goes by a text which is not plainly there: what a
// policy variable stands for, a prefix in another case, a character of two bytes.
func denyByText(s *scene) string {
	bucket := s.bucket()
	arn := "arn:aws:s3:::" + bucket
	statement := map[string]any{"Sid": "ByText", "Effect": "Deny", "Action": s.draw.one("s3:GetObject", "s3:*Object", "s3:*"), "Resource": arn + "/*"}
	switch s.draw.IntN(4) {
	case 0:
		statement["Action"], statement["Resource"] = "s3:ListBucket", arn
		values := [][]string{{"INCOMING/SECRET/"}, {"Secret/"}, {"TEAM/A/B/"}, {"${aws:PrincipalTag/none, 'incoming/'}"}, {"${aws:principaltag/Team}", "team/a/"}}
		statement["Condition"] = map[string]any{"StringEqualsIgnoreCase": map[string]any{"s3:prefix": pick(s.draw.Rand, values)}}
	case 1:
		s.draw.unknown = true
		c := pick(s.draw.Rand, onlyByText)
		statement["Condition"] = map[string]any{pick(s.draw.Rand, c.operators): map[string]any{c.key: pick(s.draw.Rand, c.values)}}
	default:
		statement["Resource"] = pick(s.draw.Rand, s.draw.byVariables(arn))
	}
	where := ""
	switch s.draw.IntN(3) {
	case 0:
		role := s.role()
		where = "an inline policy of " + role
		if s.tried(s.iamOf(role, "PutRolePolicy", "PolicyName", "by-text", "PolicyDocument", newPolicy(statement).String())) {
			s.doubts()
		}
	default:
		where = bucket + "'s policy"
		statement["Principal"] = "*"
		p := s.livePolicy(bucket)
		p.add(statement)
		if s.tried(s.putPolicy(bucket, p)) {
			s.hinders(statement)
			s.doubts()
		}
	}
	return where + " gets " + textOf(statement)
}

// byVariables are objects that policy variables name, in the ways that they are
// written, and that characters name of which one has two bytes. What some of
// them name, only a call tells.
func (d *draw) byVariables(arn string) []string {
	if d.chance(3) {
		d.unknown = true
		return []string{
			arn + "/${aws:userid}/*", arn + "/incoming/${aws:userid}/*", arn + "/incoming/${s3:ExistingObjectTag/closed, 'secret'}/*",
			arn + "/${aws:SourceIdentity, 'incoming'}/*", arn + "/*${aws:SourceIdentity, 'a'}.txt", arn + "/*",
		}
	}
	return []string{
		arn + "/${aws:PrincipalTag/team}/*", arn + "/*/${aws:principaltag/Team}/*", arn + "/incoming/${aws:PrincipalTag/none, 'secret'}/*",
		arn + "/${aws:username}/*", arn + "/${aws:username,'team'}/a/*", arn + "/${aws:PrincipalAccount}/*", arn + "/*${aws:username, '.tmp'}",
		arn + "/incoming/${*}*", arn + "/*/sp?ace+?%.t?t", arn + "/*+?%*", arn + "/team/?/b/*",
	}
}

// byTexts are the operators that compare texts, of which each takes policy
// variables.
var byTexts = []string{
	"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
	"StringEqualsIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringLike", "ForAnyValue:StringNotEquals",
}

// onlyByText are those on keys that a proof knows, whose values only a call has.
var onlyByText = []drawn{
	{byTexts, "aws:PrincipalTag/team", [][]string{{"${s3:ExistingObjectTag/closed}"}, {"${s3:ExistingObjectTag/closed, 'analytics'}"}, {"finance", "${aws:SourceIdentity, 'analytics'}"}}},
	{byTexts, "aws:PrincipalAccount", [][]string{{"${s3:ExistingObjectTag/closed}"}, {lake, "${aws:SourceIdentity, '" + analytics + "'}"}, {"${aws:PrincipalAccount}${aws:userid}"}}},
	{[]string{"ArnLike", "ArnNotLike", "StringLike", "StringNotLike"}, "aws:PrincipalArn", [][]string{{"arn:aws:iam::*:role/${aws:SourceIdentity, 'reader'}"}, {"*${aws:userid}", own}}},
	{byTexts, "s3:prefix", [][]string{{"${aws:SourceIdentity, 'incoming/'}"}, {"incoming/${aws:userid}*"}}},
}
