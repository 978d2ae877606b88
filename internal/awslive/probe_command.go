package awslive

import (
	"fmt"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/smithy-go"
)

// The commands of a probe on an instance, as texts, and what the aws CLI answers.

// cli are the commands on one bucket. Bucket and keys come from specs, which
// may be anybody's: no character of them may reach the shell but as itself.
type cli struct{ bucket, region string }

func (c cli) url(key string) string { return "s3://" + c.bucket + "/" + key }

func (c cli) put(key string, text []byte) string {
	return words("printf", "%s", string(text)) + " | " + c.aws("cp", "--only-show-errors", "-", c.url(key))
}

func (c cli) list(prefix string) string { return c.aws("ls", c.url(prefix)) }

func (c cli) get(key string) string { return c.aws("cp", c.url(key), "-") }

func (c cli) remove(key string) string { return c.aws("rm", "--only-show-errors", c.url(key)) }

// aws is a command of the aws CLI's. Credentials in root's files would be
// somebody else's than the role's.
func (c cli) aws(command string, args ...string) string {
	return "AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null " +
		words(append([]string{"aws", "s3", command, "--region", c.region}, args...)...)
}

// writable reports whether a key can be given to a command: as JSON, and to a
// shell.
func writable(key string) bool { return utf8.ValidString(key) && !strings.Contains(key, "\x00") }

var plainWord = regexp.MustCompile(`^[a-zA-Z0-9%_.:/-]+$`)

// words are a command's words, each quoted for a POSIX shell where it is not
// plain.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
func words(list ...string) string {
	quoted := make([]string, len(list))
	for i, w := range list {
		quoted[i] = w
		if !plainWord.MatchString(w) {
			quoted[i] = quote(w)
		}
	}
	return strings.Join(quoted, " ")
}

// quote quotes a word. Between single quotes only they themselves mean anything
// to the shell; but SSM puts in the place of {{ssm:name}} what its Parameter
// Store has under that name, before any shell sees it, so no two braces may
// stand together.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-param-runcommand.html
func quote(word string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "{", "{''").Replace(word) + "'"
}

// cliError is S3's error, as the aws CLI tells it.
type cliError struct{ *smithy.GenericAPIError }

var toldError = regexp.MustCompile(`An error occurred \(([A-Za-z0-9.]+)\) when calling the (\w+) operation(?: \(reached max retries: \d+\))?: ([^\n]*)`)

// toldBy finds S3's error to one of the operations in what the CLI wrote about
// a URL; nil if it is about something else. The URL itself is no part of it,
// whatever it holds.
func toldBy(stderr, url string, operations ...string) *cliError {
	for _, m := range toldError.FindAllStringSubmatch(strings.ReplaceAll(stderr, url, ""), -1) {
		if !slices.Contains(operations, m[2]) {
			continue
		}
		code := m[1]
		if status, err := strconv.Atoi(code); err == nil {
			// HEAD has no body, so the CLI tells the status only. These are the
			// codes that the SDK makes of it.
			code = strings.ReplaceAll(http.StatusText(status), " ", "")
		}
		return &cliError{&smithy.GenericAPIError{Code: code, Message: strings.TrimSpace(m[3])}}
	}
	return nil
}

// listedBy are the keys in what `aws s3 ls` wrote about a prefix: a line an
// object, with time, size, and the key from the prefix's last slash on.
func listedBy(stdout, prefix string) []string {
	dir, _ := path.Split(prefix)
	var keys []string
	for line := range strings.Lines(stdout) {
		if m := listedLine.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			keys = append(keys, dir+m[1])
		}
	}
	return keys
}

var listedLine = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+ (.*)$`)

// agentLine is what SSM's agent adds to what a command wrote that failed.
var agentLine = regexp.MustCompile(`(?m)^failed to run commands: exit status \d+$`)

// isSilent reports whether a command wrote nothing.
func isSilent(out output) bool {
	return out.stdout == "" && strings.TrimSpace(agentLine.ReplaceAllString(out.stderr, "")) == ""
}

// told is what a failed command wrote, short enough for a sentence.
func told(stderr string) string {
	text := strings.Join(strings.Fields(agentLine.ReplaceAllString(stderr, "")), " ")
	if text == "" {
		return "it said nothing"
	}
	if most := 300; utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return fmt.Sprintf("it said %q", text)
}
