package proof_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/specs"
)

// beside is a statement that somebody puts beside a share that works.
type beside struct {
	statement string // or several; BUCKET in it is the bucket's ARN
	where     string // "bucket" (the default), "role" or "scp"
	prefix    string // what the share is limited to; empty: incoming/
	whole     bool   // it is limited to nothing
	tags      map[string]string
	version   string
	only      bool // it stands in place of what lets the role read and write objects

	verdict proof.Verdict
	at      string // in the resource or context of a check with this verdict
	note    string // in what was not checked
}

// proved puts the statement and proves the share.
func (b beside) proved(t *testing.T) proof.GrantProof {
	t.Helper()
	p, snapshots := built(t, recipe(func(s *specs.Share) {
		if !b.whole {
			s.Consumers[0].Prefixes = []string{"incoming/"}
		}
		if b.prefix != "" {
			s.Consumers[0].Prefixes = []string{b.prefix}
		}
	}))
	l := live{t, snapshots}
	l.role().Tags = b.tags
	text := strings.ReplaceAll(b.statement, "BUCKET", "arn:aws:s3:::"+bucket)
	version := b.version
	if version == "" {
		version = iampolicy.Version2012
	}
	switch b.where {
	case "role":
		l.role().Inline = map[string][]byte{"beside": []byte(`{"Version":"` + version + `","Statement":` + text + `}`)}
	case "scp":
		l.organized(levels(control("beside", "ou-1-a", text)), nil)
	default:
		l.edit(&l.bucket().Policy, func(list []iampolicy.Statement) []iampolicy.Statement {
			if b.only {
				list = slices.DeleteFunc(list, func(s iampolicy.Statement) bool { return strings.Contains(strings.Join(s.Resource, " "), "/") })
			}
			d, err := iampolicy.Parse([]byte(`{"Version":"2012-10-17","Statement":` + text + `}`))
			if err != nil {
				t.Fatal(err)
			}
			return append(list, d.Statements...)
		})
		l.replace(&l.bucket().Policy, iampolicy.Version2012, version)
	}
	return proof.Live(p, snapshots)[0]
}

func (b beside) hold(t *testing.T) {
	t.Helper()
	got := b.proved(t)
	if got.Verdict != b.verdict {
		t.Errorf("%s, not %s: %+v", got.Verdict, b.verdict, got.Checks)
	}
	if !slices.ContainsFunc(got.Checks, func(c proof.Check) bool {
		return c.Verdict == b.verdict && strings.Contains(c.Resource+" "+c.Context["s3:prefix"], b.at)
	}) {
		t.Errorf("nothing with %q is %s: %+v", b.at, b.verdict, got.Checks)
	}
	if b.note != "" && !strings.Contains(strings.Join(got.NotChecked, "\n"), b.note) {
		t.Errorf("%q, without %q", got.NotChecked, b.note)
	}
}

func TestLiveVariables(t *testing.T) {
	const (
		deny  = `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject",`
		mine  = `{"Effect":"Deny","Action":"s3:GetObject",`
		allow = `{"Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],`
		byTag = `"Resource":"BUCKET/*","Condition":{"STRING":{"aws:PrincipalTag/team":"${s3:ExistingObjectTag/closed}"}}}`
	)
	team := map[string]string{"team": "analytics"}
	tagged := func(operator string) string { return deny + strings.Replace(byTag, "STRING", operator, 1) }
	for name, b := range map[string]beside{
		// A variable that only a real call has.
		"a Deny of what a session's id names":             {statement: deny + `"Resource":"BUCKET/incoming/${aws:userid}/*"}`, verdict: proof.NotChecked, at: "/incoming/", note: "which decides by aws:userid"},
		"a Deny of what it names elsewhere":               {statement: deny + `"Resource":"BUCKET/home/${aws:userid}/*"}`, verdict: proof.Allowed},
		"a session's id in a policy of 2008":              {statement: deny + `"Resource":"BUCKET/incoming/${aws:userid}/*"}`, version: iampolicy.Version2008, verdict: proof.Denied, at: "incoming/${aws:userid}/"},
		"a session's id with a default":                   {statement: deny + `"Resource":"BUCKET/incoming/${aws:userid, 'x'}/*"}`, verdict: proof.NotChecked, note: "aws:userid"},
		"a session's id in an inline policy":              {where: "role", statement: mine + `"Resource":"BUCKET/incoming/${aws:userid}/*"}`, verdict: proof.NotChecked, note: "aws:userid"},
		"a session's id in an SCP":                        {where: "scp", statement: mine + `"Resource":"BUCKET/incoming/${aws:userid}/*"}`, verdict: proof.NotChecked, note: "aws:userid"},
		"a session's id in an SCP, for one object":        {where: "scp", statement: mine + `"Resource":"BUCKET/incoming/${aws:userid}"}`, verdict: proof.NotChecked, note: "aws:userid"},
		"a Deny of all but what a session's id names":     {statement: deny + `"NotResource":"BUCKET/incoming/${aws:userid}/*"}`, verdict: proof.Denied},
		"a Deny of all but what it may name":              {statement: deny + `"NotResource":"BUCKET/${aws:userid, 'x'}*"}`, verdict: proof.NotChecked, note: "aws:userid"},
		"a Deny by an object's tag":                       {statement: tagged("StringEquals"), tags: team, verdict: proof.NotChecked, note: "s3:ExistingObjectTag/closed"},
		"a Deny by an object's tag, without case":         {statement: tagged("StringEqualsIgnoreCase"), tags: team, verdict: proof.NotChecked},
		"a Deny by an object's tag, of a role without it": {statement: tagged("StringEquals"), verdict: proof.Allowed},
		"a Deny by an object's tag, if the role has one":  {statement: tagged("StringEqualsIfExists"), verdict: proof.NotChecked},
		"a Deny by another tag than the object's":         {statement: tagged("StringNotEquals"), tags: team, verdict: proof.NotChecked},
		"a Deny by another tag, of a role without it":     {statement: tagged("StringNotEquals"), verdict: proof.Denied},
		"a Deny by another tag, without case":             {statement: tagged("StringNotEqualsIgnoreCase"), tags: team, verdict: proof.NotChecked},
		"a Deny by a tag of which all are":                {statement: tagged("ForAllValues:StringEquals"), tags: team, verdict: proof.NotChecked},
		"a Deny by an ARN":                                {statement: deny + `"Resource":"BUCKET/*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/${aws:SourceIdentity}"}}}`, verdict: proof.NotChecked},
		"a Deny by another ARN":                           {statement: deny + `"Resource":"BUCKET/*","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/${aws:SourceIdentity}"}}}`, verdict: proof.NotChecked},
		"a Deny by another ARN, of which one is it":       {statement: deny + `"Resource":"BUCKET/*","Condition":{"ArnNotEquals":{"aws:PrincipalArn":["` + roleARN + `","${aws:SourceIdentity}"]}}}`, verdict: proof.NotChecked},
		"a Deny that is sure by another value":            {statement: deny + `"Resource":"BUCKET/*","Condition":{"StringLike":{"aws:PrincipalAccount":["2222*","${aws:SourceIdentity}"]}}}`, verdict: proof.Denied},
		"a Deny that no value can meet":                   {statement: deny + `"Resource":"BUCKET/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"x*${aws:SourceIdentity}"}}}`, verdict: proof.Allowed},
		"a Deny by a known and an unknown variable":       {statement: deny + `"Resource":"BUCKET/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}${aws:SourceIdentity}"}}}`, verdict: proof.NotChecked},
		"an operator that takes no variables":             {statement: deny + `"Resource":"BUCKET/*","Condition":{"Null":{"aws:PrincipalAccount":"${aws:SourceIdentity}"}}}`, verdict: proof.Denied},
		"a Deny of listings by an unknown variable":       {statement: `{"Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"BUCKET","Condition":{"StringLike":{"s3:prefix":"incoming/${aws:userid}/*"}}}`, verdict: proof.NotChecked, at: "incoming/", note: "aws:userid"},

		"a Deny by a variable where none belongs": {statement: deny + `"Resource":"arn:aws:s3:${aws:SourceIdentity}::` + bucket + `/*"}`, verdict: proof.NotChecked, note: "aws:SourceIdentity"},
		"an Allow of what a session's id names":   {only: true, statement: allow + `"Resource":"BUCKET/incoming/${aws:userid}/*"}`, verdict: proof.Denied},
		"an Allow of what it may name":            {only: true, statement: allow + `"Resource":"BUCKET/${aws:SourceIdentity}/*"}`, verdict: proof.NotChecked, note: "aws:SourceIdentity"},
		"an Allow of that and of all":             {only: true, statement: allow + `"Resource":["BUCKET/${aws:SourceIdentity}/*","BUCKET/incoming/*"]}`, verdict: proof.Allowed},
		"an Allow by a variable that may be":      {only: true, statement: allow + `"Resource":"BUCKET/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:SourceIdentity}"}}}`, verdict: proof.NotChecked, note: "aws:SourceIdentity"},
		"an Allow by one that is another":         {only: true, statement: allow + `"Resource":"BUCKET/*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"${aws:SourceIdentity}"}}}`, verdict: proof.NotChecked, note: "aws:SourceIdentity"},
		"an Allow of all but what it may name":    {only: true, statement: allow + `"NotResource":"BUCKET/closed/${aws:SourceIdentity}/*"}`, verdict: proof.Allowed},

		// One whose value is known.
		"a Deny of what a tag names":                      {statement: deny + `"Resource":"BUCKET/incoming/${aws:PrincipalTag/team}/*"}`, tags: team, verdict: proof.Denied, at: "incoming/analytics/"},
		"what a tag names, in other case":                 {statement: deny + `"Resource":"BUCKET/incoming/${aws:principaltag/Team}/*"}`, tags: team, verdict: proof.Denied, at: "incoming/analytics/"},
		"what a tag names, of a role without it":          {statement: deny + `"Resource":"BUCKET/incoming/${aws:PrincipalTag/team}/*"}`, verdict: proof.Allowed},
		"what a tag names, with a default":                {statement: deny + `"Resource":"BUCKET/incoming/${aws:PrincipalTag/none, 'secret'}/*"}`, verdict: proof.Denied, at: "incoming/secret/"},
		"a default in an inline policy":                   {where: "role", statement: mine + `"Resource":"BUCKET/incoming/${aws:PrincipalTag/home, 'shared'}/*"}`, verdict: proof.Denied, at: "incoming/shared/"},
		"a Deny of a star":                                {statement: deny + `"Resource":"BUCKET/incoming/${*}/*"}`, verdict: proof.Denied, at: "incoming/*/"},
		"a Deny for who has a name, which roles have not": {statement: deny + `"Resource":"BUCKET/incoming/${aws:username}/*"}`, verdict: proof.Allowed},
		"a Deny for a service's account":                  {where: "scp", statement: mine + `"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}}}`, verdict: proof.Allowed},
		"a home of the account":                           {only: true, prefix: consumer + "/", statement: allow + `"Resource":"BUCKET/${aws:PrincipalAccount}/*"}`, verdict: proof.Allowed},
		"a home by tag":                                   {only: true, tags: team, prefix: "analytics/", statement: allow + `"Resource":"BUCKET/${aws:PrincipalTag/team}/*"}`, verdict: proof.Allowed},
		"another's home by tag":                           {only: true, tags: team, statement: allow + `"Resource":"BUCKET/${aws:PrincipalTag/team}/*"}`, verdict: proof.Denied},
		"a home of users":                                 {only: true, statement: allow + `"Resource":"BUCKET/${aws:username}/*"}`, verdict: proof.Denied},
	} {
		t.Run(name, b.hold)
	}
}

func TestLiveSamples(t *testing.T) {
	const (
		deny  = `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":`
		list  = `{"Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"BUCKET","Condition":`
		allow = `{"Effect":"Allow","Principal":{"AWS":"` + roleARN + `"},"Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],`
	)
	for name, b := range map[string]beside{
		"a prefix in capitals":                {statement: list + `{"StringEqualsIgnoreCase":{"s3:prefix":"INCOMING/SECRET/"}}}`, verdict: proof.Denied, at: "incoming/SECRET/"},
		"one in an inline policy":             {where: "role", statement: `{"Effect":"Deny","Action":"s3:ListBucket","Resource":"BUCKET","Condition":{"StringEqualsIgnoreCase":{"s3:prefix":["Incoming/Shared/"]}}}`, verdict: proof.Denied, at: "incoming/Shared/"},
		"capitals where case counts":          {statement: list + `{"StringEquals":{"s3:prefix":"INCOMING/SECRET/"}}}`, verdict: proof.Allowed},
		"a prefix with a star":                {statement: list + `{"StringEquals":{"s3:prefix":"incoming/*"}}}`, verdict: proof.Denied, at: "incoming/*"},
		"a prefix by two patterns":            {statement: list + `{"StringLike":{"s3:prefix":"incoming/a*"},"StringNotLike":{"s3:prefix":"incoming/ax*"}}}`, verdict: proof.Denied, at: "incoming/a"},
		"one character of two bytes":          {prefix: "ü/", statement: deny + `"BUCKET/?/secret/*"}`, verdict: proof.Denied, at: "ü/secret/"},
		"two characters are not one":          {prefix: "uu/", statement: deny + `"BUCKET/?/secret/*"}`, verdict: proof.Allowed},
		"some objects by all patterns":        {only: true, statement: allow + `"Resource":["BUCKET/incoming/*x*","BUCKET/incoming/","BUCKET/incoming/*0_~Z9jqx!|*"]}`, verdict: proof.Denied, at: "/incoming/"},
		"all objects but in two ways":         {only: true, statement: allow + `"Resource":["BUCKET/incoming/?","BUCKET/incoming/","BUCKET/incoming/??*"]}`, verdict: proof.NotChecked, at: "/incoming/", note: "no object"},
		"all objects but their prefix":        {only: true, statement: allow + `"Resource":"BUCKET/incoming/?*"}`, verdict: proof.Denied, at: "/incoming/"},
		"all objects by two stars":            {only: true, statement: allow + `"Resource":"BUCKET/incoming/**"}`, verdict: proof.Allowed},
		"what an Allow leaves out":            {only: true, statement: allow + `"NotResource":"BUCKET/incoming/secret/*"}`, verdict: proof.Denied, at: "incoming/secret/"},
		"some of what it leaves out":          {only: true, statement: allow + `"NotResource":["BUCKET/incoming/x*","BUCKET/incoming/" ]}`, verdict: proof.Denied, at: "incoming/x"},
		"what another Allow has only in part": {only: true, statement: "[" + allow + `"NotResource":"BUCKET/incoming/*x"},` + allow + `"Resource":["BUCKET/incoming/?x","BUCKET/incoming/xshare-proofx"]}]`, verdict: proof.Denied, at: "x"},
		"what two conditions are about":       {statement: list + `{"StringLike":{"s3:prefix":"incoming/a*"},"StringLikeIfExists":{"s3:prefix":"*z"}}}`, verdict: proof.Denied, at: "incoming/az"},
		"what two conditions rule out":        {statement: list + `{"StringLike":{"s3:prefix":"incoming/a*"},"StringEquals":{"s3:prefix":"incoming/b"}}}`, verdict: proof.Allowed},
		"too many patterns":                   {only: true, statement: "[" + allow + `"NotResource":["BUCKET/incoming/*a*","BUCKET/incoming/*b*","BUCKET/incoming/*c*","BUCKET/incoming/*d*","BUCKET/incoming/*e*","BUCKET/incoming/*f*","BUCKET/incoming/*g*","BUCKET/incoming/*h*","BUCKET/incoming/*i*","BUCKET/incoming/*j*","BUCKET/incoming/*k*"]},` + allow + `"Resource":"BUCKET/incoming/*"}]`, verdict: proof.NotChecked, note: "too many"},
		"all prefixes but in two ways":        {statement: list + `{"StringNotLike":{"s3:prefix":["incoming/","incoming/?","incoming/??*"]}}}`, verdict: proof.NotChecked, at: "incoming/", note: "no listing"},
		"a prefix of a policy of 2008":        {version: iampolicy.Version2008, statement: list + `{"StringEquals":{"s3:prefix":"incoming/*"}}}`, verdict: proof.Denied, at: "incoming/*"},
		"all characters that are spare":       {statement: deny + `"BUCKET/incoming/*0_~Z9jqx!|*"}`, verdict: proof.Denied, at: "0_~Z9jqx!|"},
	} {
		t.Run(name, b.hold)
	}
}
