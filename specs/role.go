package specs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// reservedPath begins the paths of service-linked roles, to which only their
// services attach policies, see
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
// and https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html.
const reservedPath = "/aws-service-role/"

// policyFile is a trust policy read from a file; text is nil after an error.
type policyFile struct{ text []byte }

// role builds the role as the consumer states it, and reports whether its name
// is good.
func (l *loader) role(c *Consumer, raw *rawRole) bool {
	role := &c.Role
	role.Pos, role.Create = raw.name.pos, raw.create.value
	named := l.check(raw.name, "the role name", codeRoleName, roleName)
	role.Path, role.Name = splitPath(raw.name.value)
	if named && strings.HasPrefix(role.Path, reservedPath) {
		switch {
		case raw.create.value:
			l.fail(codeRoleName, raw.name.pos, "choose another path", "the role name %s is in the path %s, which IAM reserves for roles that AWS's services make", quote(raw.name.value), strings.Trim(reservedPath, "/"))
			named = false
		case c.Account != nil && c.Account.Manage:
			l.fail(codeRoleName, raw.name.pos, "name another role, and let the service use that", "the role %s is one of an AWS service, which alone gives it policies", quote(raw.name.value))
			named = false
		}
	}

	if !raw.create.value && !raw.create.bad {
		for _, only := range []struct {
			field string
			text  text
		}{{"trust", raw.trust}, {"trustPolicy", raw.trustPolicy}, {"permissionsBoundary", raw.boundary}} {
			if only.text.stated() {
				l.fail(codeTrust, only.text.pos, "add create: true, or take "+only.field+" out", "%s is only for a role with create: true", only.field)
			}
		}
	}
	if raw.trust.stated() && raw.trustPolicy.stated() {
		l.fail(codeTrust, raw.trustPolicy.pos, "take one of the two out", "the role has both trust and trustPolicy")
	}
	if raw.trust.ok() {
		role.TrustService = l.trust(raw.trust)
	}
	if raw.trustPolicy.ok() {
		role.TrustPolicy, role.TrustFile = l.trustPolicy(raw.trustPolicy), raw.trustPolicy.value
	}
	l.check(raw.instanceProfile.text, "the instance profile name", codeProfileName, profileName)
	var region, id string
	if l.repo != nil {
		region = l.repo.Region
	}
	if c.Account != nil {
		id = c.Account.ID
	}
	l.boundary(raw.boundary, region, id)
	return named
}

// trustWords are the services that have a short name.
var trustWords = []string{"ec2", "lambda", "ecs-tasks"}

var serviceForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$`)

// trust returns the service principal that a word, or its own name, stands
// for; "" after an error.
func (l *loader) trust(t text) string {
	china := l.partition() == partitionChina
	switch v := t.value; {
	case slices.Contains(trustWords, v):
		return servicePrincipal(v, china)
	case strings.HasPrefix(v, "arn:"), accountForm.MatchString(v):
		l.fail(codeTrust, t.pos, "write the trust policy into a file and name it under trustPolicy", "trust %s is not a service", quote(v))
	case !serviceForm.MatchString(v):
		near := v
		for _, word := range trustWords { // ecs is nearer to ec2 by its letters, which would trust another service
			if strings.HasPrefix(word, v+"-") {
				near = word
			}
		}
		l.fail(codeTrust, t.pos, suggest(near, trustWords, "write a service principal such as glue.amazonaws.com, or one of "), "trust %s is not known", quote(v))
	case strings.HasSuffix(v, ".cn") && !china:
		l.fail(codeTrust, t.pos, "write "+strings.TrimSuffix(v, ".cn"), "trust %s is a service of the China partition", quote(v))
	default:
		return v
	}
	return ""
}

// servicePrincipal is what one of the words stands for. EC2's has another suffix
// in China, see https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html.
func servicePrincipal(word string, china bool) string {
	if word == "ec2" && china {
		return "ec2.amazonaws.com.cn"
	}
	return word + ".amazonaws.com"
}

// isEC2 reports whether a service principal is that of EC2.
func isEC2(service string) bool {
	return strings.TrimSuffix(service, ".cn") == "ec2.amazonaws.com"
}

// trustPolicy returns the text of the file that t names, nil after an error.
func (l *loader) trustPolicy(t text) []byte {
	if !fs.ValidPath(t.value) || strings.Contains(t.value, `\`) {
		l.fail(codeOutside, t.pos, "write it relative to the repository's root, without . and ..", "trustPolicy %s is no path inside the repository", quote(t.value))
		return nil
	}
	file, known := l.policies[t.value]
	if !known {
		file = policyFile{l.readTrustPolicy(t)}
		l.policies[t.value] = file
	}
	return file.text
}

func (l *loader) readTrustPolicy(t text) []byte {
	real, err := within(l.fsys, t.value)
	if err == nil {
		_, err = fs.Stat(l.fsys, real)
	}
	if errors.Is(err, fs.ErrNotExist) {
		mend := "paths start at the repository's root"
		beside := path.Join(path.Dir(t.pos.File), t.value)
		if _, err := fs.Stat(l.fsys, beside); err == nil {
			mend = "write " + quote(beside) + ", since " + mend
		}
		l.fail(codeTrust, t.pos, mend, "there is no file %s", quote(t.value))
		return nil
	}
	if err != nil {
		l.unreadable(t.value, t.pos, err)
		return nil
	}
	const room = 8 * iampolicy.MaxTrustPolicy // white space is not counted, but is read
	content, ok := readFile(l.sink, l.fsys, specFile{t.value, real}, t.pos, room)
	if !ok {
		return nil
	}
	fail := l.lint
	if !json.Valid(content) {
		fail = l.fail
	}
	_, err = iampolicy.ParseTrust(content)
	for _, wrong := range iampolicy.ParseErrors(err) {
		fail(wrong.Code, Pos{t.value, wrong.Line, wrong.Column}, cmp.Or(wrong.Mend, "correct it there"), "%s", wrong.Msg)
	}
	if c := beyondLatin(content); c != 0 {
		l.fail(codeTrust, t.pos, "use letters up to U+00FF", "the file %s holds the character U+%04X, which IAM refuses", quote(t.value), c)
	}
	if size := iampolicy.Size(content); size > iampolicy.MaxTrustPolicy {
		l.lint(lintPolicyTooLarge, Pos{t.value, 1, 1}, "shorten it", "the trust policy has %d characters and IAM takes %d, white space not counted", size, iampolicy.MaxTrustPolicy)
	}
	return content
}

// beyondLatin is the first character of a JSON document that IAM takes in no
// policy, written as itself or escaped (an escape is sent as its character);
// zero: there is none.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
func beyondLatin(document []byte) rune {
	for d := json.NewDecoder(bytes.NewReader(document)); ; {
		token, err := d.Token()
		if err != nil {
			return 0
		}
		text, _ := token.(string)
		for _, c := range text {
			if c > 0xff {
				return c
			}
		}
	}
}
