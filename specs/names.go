package specs

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A rule says what is wrong with a value and how to mend it; both are empty
// for a good one. "wrong" completes the sentence `NAME "value" …`.
type rule func(value string) (wrong, mend string)

// check applies a rule to a text that is there, and reports whether it holds.
func (s *sink) check(t text, what, code string, holds rule) bool {
	if !t.ok() {
		return false
	}
	wrong, mend := holds(t.value)
	if wrong != "" {
		s.fail(code, t.pos, mend, "%s %s %s", what, quote(t.value), wrong)
	}
	return wrong == ""
}

var (
	repositoryForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	nameForm       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	accountForm    = regexp.MustCompile(`^[0-9]{12}$`)
	bucketForm     = regexp.MustCompile(`^[a-z0-9.-]*$`)
	iamForm        = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathForm       = regexp.MustCompile(`^[!-~]+$`)
	externalForm   = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
	boundaryARN    = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}|aws):policy/(.+)$`)
)

func repositoryName(v string) (string, string) {
	if !repositoryForm.MatchString(v) {
		return "is not 1 to 32 of a-z, 0-9 and -", "it goes into tags and Sids, so keep it short and plain"
	}
	return "", ""
}

// IsName reports whether a share, or an instance, can have the name.
func IsName(v string) bool {
	wrong, _ := name(v)
	return wrong == ""
}

// name is the rule for names that only xshare gives: shares, account aliases,
// instances.
func name(v string) (string, string) {
	switch {
	case len(v) > 128:
		return "is longer than 128 characters", "shorten it"
	case !nameForm.MatchString(v):
		return "is not letters, digits, '.', '_' and '-', a letter or digit first", "take the other characters out"
	}
	return "", ""
}

func accountID(v string) (string, string) {
	if !accountForm.MatchString(v) {
		return "is not 12 digits", "write all 12 digits in quotes, without dashes"
	}
	return "", ""
}

// bucketName is S3's rule for general purpose buckets, see
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html.
func bucketName(v string) (string, string) {
	switch {
	case strings.HasPrefix(v, "arn:") || strings.HasPrefix(v, "s3://"):
		return "is not a plain name", "write the bucket's name alone"
	case len(v) < 3 || len(v) > 63:
		return "is not 3 to 63 characters long", "choose another name"
	case !bucketForm.MatchString(v):
		return "has characters other than a-z, 0-9, '.' and '-'", "take them out; S3 has no upper case and no '_'"
	case !alphanumeric(v[0]) || !alphanumeric(v[len(v)-1]):
		return "does not start and end with a letter or digit", "choose another name"
	case strings.Contains(v, ".."):
		return "has two dots in a row", "choose another name"
	}
	if _, err := netip.ParseAddr(v); err == nil {
		return "has the form of an IP address", "choose another name"
	}
	for _, reserved := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(v, reserved) {
			return "starts with " + reserved + ", which S3 reserves", "choose another name"
		}
	}
	for _, reserved := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(v, reserved) {
			return "ends in " + reserved + ", which S3 reserves", "choose another name"
		}
	}
	return "", ""
}

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// roleName is IAM's rule for the name of a role, with or without a path before
// it, see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
func roleName(v string) (string, string) { return iamName(v, "role", 64) }

func profileName(v string) (string, string) {
	if strings.Contains(v, "/") {
		return "has a path", "write the instance profile's name alone"
	}
	return iamName(v, "instance profile", 128)
}

func policyName(v string) (string, string) {
	if strings.Contains(v, "/") {
		return "has a path", "write the policy's name alone"
	}
	return iamName(v, "policy", 128)
}

func iamName(v, kind string, longest int) (string, string) {
	path, last := splitPath(v)
	switch {
	case strings.HasPrefix(v, "arn:"):
		return "is an ARN", "write the " + kind + "'s name, or path/name"
	case strings.HasPrefix(v, "/"):
		return "starts with a slash", "write path/name: " + quote(strings.TrimLeft(v, "/"))
	case last == "":
		return "ends in a slash", "write path/name"
	case strings.Contains(path, "//"):
		return "has an empty part in its path", "write path/name"
	case len(path) > 512:
		return "has a path longer than 512 characters", "shorten the path"
	case path != "/" && !pathForm.MatchString(path):
		return "has a path with spaces or characters outside ASCII", "take them out"
	case len(last) > longest:
		return "is longer than IAM takes", "shorten the name to at most " + itoa(longest) + " characters"
	case !iamForm.MatchString(last):
		return "has characters other than letters, digits and +=,.@_-", "take them out"
	}
	return "", ""
}

// splitPath splits "path/name" into the path, with slashes at both ends, and
// the name.
func splitPath(v string) (path, name string) {
	at := strings.LastIndexByte(v, '/')
	if at < 0 {
		return "/", v
	}
	return "/" + strings.TrimPrefix(v[:at+1], "/"), v[at+1:]
}

// boundary is the rule for a permissions boundary: the name, or path/name, of
// a policy in the role's own account, or an ARN.
func boundary(v string) (string, string) {
	if !strings.HasPrefix(v, "arn:") {
		return iamName(v, "policy", 128)
	}
	m := boundaryARN.FindStringSubmatch(v)
	if m == nil {
		return "is no ARN of a policy", "write arn:aws:iam::ACCOUNT:policy/NAME, or the name alone"
	}
	return iamName(m[3], "policy", 128)
}

// externalID is STS' rule, see
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html.
func externalID(v string) (string, string) {
	switch {
	case len(v) < 2 || len(v) > 1224:
		return "is not 2 to 1224 characters long", "write the one that the role's trust policy asks for"
	case !externalForm.MatchString(v):
		return "has characters other than letters, digits and +=,.@:/_-", "write the one that the role's trust policy asks for"
	}
	return "", ""
}

// tagKey and tagValue are the rules that all services of ours share, see
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html.
func tagKey(v string) (string, string) {
	lower := strings.ToLower(v)
	switch {
	case utf8.RuneCountInString(v) > 128:
		return "is longer than 128 characters", "shorten it"
	case strings.HasPrefix(lower, "aws:"):
		return "starts with aws:, which AWS reserves", "choose another key"
	case strings.HasPrefix(lower, "xshare:"):
		return "starts with xshare:, which marks what is xshare's", "choose another key"
	case !tagText(v):
		return "has characters other than letters, digits, spaces and +-=._:/@", "take them out"
	}
	return "", ""
}

func tagValue(v string) (string, string) {
	switch {
	case utf8.RuneCountInString(v) > 256:
		return "is longer than 256 characters", "shorten it"
	case !tagText(v):
		return "has characters other than letters, digits, spaces and +-=._:/@", "take them out"
	}
	return "", ""
}

func tagText(v string) bool {
	for _, c := range v {
		if !unicode.In(c, unicode.L, unicode.N, unicode.Zs) && !strings.ContainsRune("+-=._:/@", c) {
			return false
		}
	}
	return true
}
