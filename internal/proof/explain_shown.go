package proof

import "strings"

// Shown is a resource, or a prefix, as people are to see it: the key that a proof
// took for any object is an asterisk.
func Shown(text string) string {
	bucket, key, isObject := strings.Cut(text, "/")
	if strings.HasPrefix(text, "arn:") && !isObject {
		return text
	}
	if !isObject {
		return strings.ReplaceAll(text, sampleKey, "*")
	}
	return bucket + "/" + strings.ReplaceAll(key, sampleKey, "*")
}

// onlyCall ends what is not checked for what a call alone has.
const onlyCall = ": only a real call has that"

// Asks is the question, as arguments of explain, that decides what a share's
// request hangs on and only a call has, when a condition key is added: of an
// object that the request stands for. It is empty for what hangs on something
// else.
func (c Check) Asks(principal string) []string {
	if c.Verdict != NotChecked || !strings.HasPrefix(c.Action, "s3:") || !strings.HasSuffix(c.Reason, onlyCall) {
		return nil
	}
	args := []string{"--principal", principal, "--action", c.Action, "--resource", strings.ReplaceAll(Shown(c.Resource), "*", "a.txt")}
	if prefix, ok := c.Context[prefixKey]; ok {
		args = append(args, "--context", prefixKey+"="+strings.ReplaceAll(Shown(prefix), "*", "a.txt"))
	}
	return args
}
