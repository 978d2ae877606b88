package describe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// shown are rights as a test expects them: places by action, "*" for everywhere.
func shown(r rights) string {
	var list []string
	for _, action := range slices.Sorted(maps.Keys(r)) {
		places := slices.Sorted(slices.Values(r[action]))
		for i, p := range places {
			places[i] = p + "*"
		}
		list = append(list, strings.TrimPrefix(action, "s3:")+" "+strings.Join(places, " "))
	}
	return strings.Join(list, ", ")
}

func parsed(t *testing.T, text string) iampolicy.Statement {
	t.Helper()
	d, err := iampolicy.ParseLive([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",` + text + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return d.Statements[0]
}

func TestRightsOf(t *testing.T) {
	for name, c := range map[string]struct{ text, want, left string }{
		"bucket and objects":          {`"Action":["s3:ListBucket","s3:GetObject"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, "GetObject *, ListBucket *", ""},
		"the bucket alone":            {`"Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::b"`, "ListBucket *", ""},
		"objects alone":               {`"Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::b/*"`, "GetObject *", ""},
		"everything":                  {`"Action":["s3:ListBucket","s3:GetObject"],"Resource":"*"`, "GetObject *, ListBucket *", ""},
		"every bucket":                {`"Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::*"`, "GetObject *, ListBucket *", ""},
		"buckets of a name":           {`"Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::b*"`, "GetObject *, ListBucket *", ""},
		"objects of every bucket":     {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::*/*"`, "GetObject *", ""},
		"a case of its own":           {`"Action":"S3:getobject","Resource":"arn:aws:s3:::b/*"`, "GetObject *", ""},
		"actions by a pattern":        {`"Action":"s3:GetObjectTag*","Resource":"arn:aws:s3:::b/*"`, "GetObjectTagging *", ""},
		"actions that are no S3's":    {`"Action":["kms:*","s3:GetObject"],"Resource":"*"`, "GetObject *", ""},
		"actions on the account":      {`"Action":"s3:ListAllMyBuckets","Resource":"*"`, "", ""},
		"a prefix":                    {`"Action":"s3:GetObject","Resource":["arn:aws:s3:::b/in/*","arn:aws:s3:::b/out/x/*"]`, "GetObject in/* out/x/*", ""},
		"a prefix in another":         {`"Action":"s3:GetObject","Resource":["arn:aws:s3:::b/in/x/*","arn:aws:s3:::b/in/*"]`, "GetObject in/*", ""},
		"a prefix in all":             {`"Action":"s3:GetObject","Resource":["arn:aws:s3:::b/*","arn:aws:s3:::b/in/*"]`, "GetObject *", ""},
		"another bucket":              {`"Action":"s3:*","Resource":["arn:aws:s3:::c","arn:aws:s3:::c/*","arn:aws:s3:::bb/*"]`, "", ""},
		"another partition":           {`"Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::b/*"`, "", ""},
		"a prefix without slash":      {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/in*"`, "", "its resource arn:aws:s3:::b/in* is neither"},
		"objects of an ending":        {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*.csv"`, "", "its resource"},
		"one object":                  {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/in/a"`, "", "its resource"},
		"a key of one letter":         {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/?"`, "", "its resource"},
		"a wildcard in a prefix":      {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*/in/*"`, "", "its resource"},
		"a variable":                  {`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*"`, "", "its resource"},
		"a wildcard in the partition": {`"Action":"s3:GetObject","Resource":"arn:*:s3:::b/*"`, "", "its resource"},
		"some of it":                  {`"Action":"s3:GetObject","Resource":["arn:aws:s3:::b/in/*","arn:aws:s3:::b/x"]`, "GetObject in/*", "its resource arn:aws:s3:::b/x"},
		"an odd resource of none":     {`"Action":"s3:ListBucket","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/x"]`, "ListBucket *", ""},
		"a list under prefixes":       {`"Action":["s3:ListBucket","s3:ListBucketVersions"],"Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["in/*","in/","out/*"]}}`, "ListBucket in/* out/*, ListBucketVersions in/* out/*", ""},
		"others by that condition":    {`"Action":["s3:ListBucket","s3:GetObject","s3:GetBucketLocation"],"Resource":"*","Condition":{"StringLike":{"S3:Prefix":"in/*"}}`, "ListBucket in/*", ""},
		"a list of one prefix alone":  {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["in/"]}}`, "", "its condition has the prefix in/"},
		"a condition without values":  {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":[]}}`, "", "its condition on s3:prefix has no values, so it never holds"},
		"a list without slash":        {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["in*"]}}`, "", "its condition has the prefix in*"},
		"a list of the top":           {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["","in/*"]}}`, "", "its condition has the prefix "},
		"an equal prefix":             {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringEquals":{"s3:prefix":"in/*"}}`, "", "it has a condition on s3:prefix"},
		"if there is a prefix":        {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLikeIfExists":{"s3:prefix":"in/*"}}`, "", "it has a condition on s3:prefix"},
		"a second condition":          {`"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":"in/*"},"Bool":{"aws:SecureTransport":"true"}}`, "", "it has a condition on aws:SecureTransport"},
		"NotAction":                   {`"NotAction":"s3:GetObject","Resource":"arn:aws:s3:::b/*"`, "", "it has NotAction"},
		"NotResource":                 {`"Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/*"`, "", "it has NotResource"},
		"an unknown element":          {`"Action":"s3:GetObject","Resource":"*","Robot":"x"`, "", "it has Robot, which is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			r, left := rightsOf(parsed(t, c.text), "arn:aws:s3:::b")
			if shown(r) != c.want {
				t.Errorf("rights: %s\nwant: %s", shown(r), c.want)
			}
			if !strings.HasPrefix(left, c.left) || c.left == "" && left != "" {
				t.Errorf("left: %s", left)
			}
		})
	}
}

func TestMeet(t *testing.T) {
	a := rights{"s3:GetObject": {"in/", "out/"}, "s3:PutObject": {""}, "s3:DeleteObject": {""}}
	b := rights{"s3:GetObject": {"in/x/", "in/y/", "out"}, "s3:PutObject": {"z/"}, "s3:ListBucket": {""}}
	both := meet(a, b)
	if got, want := shown(both), "GetObject in/x/* in/y/* out/*, PutObject z/*"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !a.covers(both) || !b.covers(both) || both.covers(a) {
		t.Error("what both may is not what each covers")
	}
	if got := a.beyond(b); !slices.Equal(got, []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}) {
		t.Errorf("beyond: %q", got)
	}
}

func TestFolded(t *testing.T) {
	actions := func(c specs.Consumer) rights { return promised(&c) }
	words := func(list ...specs.Access) specs.Consumer { return specs.Consumer{Access: list} }
	under := func(c specs.Consumer, prefixes ...string) specs.Consumer { c.Prefixes = prefixes; return c }
	with := func(c specs.Consumer, more ...string) specs.Consumer { c.Actions = more; return c }
	for name, c := range map[string]struct {
		in   []rights
		want string
	}{
		"list":                   {[]rights{actions(words("list"))}, "[list] [] []"},
		"read":                   {[]rights{actions(words("read"))}, "[read] [] []"},
		"list and read are read": {[]rights{actions(words("list", "read"))}, "[read] [] []"},
		"write and delete":       {[]rights{actions(words("write", "delete"))}, "[write delete] [] []"},
		"full":                   {[]rights{actions(words("full"))}, "[full] [] []"},
		"a further action":       {[]rights{actions(with(words("read"), "s3:GetObjectTagging"))}, "[read] [s3:GetObjectTagging] []"},
		"less than a word":       {[]rights{{"s3:GetObject": {""}, "s3:ListBucket": {""}}}, "[] [s3:GetObject s3:ListBucket] []"},
		"prefixes alike":         {[]rights{actions(under(words("read", "write"), "in/", "out/"))}, "[read write] [] [in/ out/]"},
		"prefixes unlike":        {[]rights{actions(under(words("read"), "in/")), actions(under(words("write"), "out/"))}, "[read] [] [in/]; [write] [] [out/]"},
		"all and a prefix":       {[]rights{actions(words("read")), actions(under(words("write"), "in/"))}, "[read] [] []; [write] [] [in/]"},
		"the bucket's, once": {
			[]rights{actions(with(under(words("read"), "in/"), "s3:GetBucketTagging")), {"s3:PutObject": {"out/"}}},
			"[read] [s3:GetBucketTagging] [in/]; [] [s3:PutObject] [out/]",
		},
		"the bucket's alone":        {[]rights{{"s3:GetBucketTagging": {""}}}, "[] [s3:GetBucketTagging] []"},
		"everything under a prefix": {[]rights{everythingUnder("in/"), {"s3:ListBucketVersions": {"in/"}}}, "[delete] [s3:AbortMultipartUpload s3:GetObject s3:ListBucketVersions s3:ListMultipartUploadParts s3:PutObject] [in/] shortened"},
	} {
		t.Run(name, func(t *testing.T) {
			all := rights{}
			for _, r := range c.in {
				all.addAll(r)
			}
			list, shortened := folded(all, true)
			var got []string
			again := rights{}
			for _, u := range list {
				got = append(got, fmt.Sprintf("%v %v %v", u.words, u.actions, u.prefixes))
				again.addAll(promised(&specs.Consumer{Access: u.words, Actions: u.actions, Prefixes: u.prefixes}))
			}
			text := strings.Join(got, "; ")
			if !all.covers(again) {
				t.Errorf("it says %s\nof %s", shown(again), shown(all))
			}
			if shortened {
				text += " shortened"
			} else if shown(again) != shown(all) {
				t.Errorf("it says %s\nof %s", shown(again), shown(all))
			}
			if text != c.want {
				t.Errorf("%s\nwant %s", text, c.want)
			}
		})
	}
}

// promised are the rights that a consumer's statements give.
func promised(c *specs.Consumer) rights {
	r := rights{}
	for _, s := range plan.GrantStatements("aws", "data", c) {
		given, _ := rightsOf(s, "arn:aws:s3:::data")
		r.addAll(given)
	}
	return r
}

func everythingUnder(prefix string) rights {
	r := rights{}
	for _, action := range iampolicy.MatchS3Actions("s3:*") {
		if action.Level == iampolicy.ObjectLevel {
			r.add(action.Name, prefix)
		}
	}
	return r
}
