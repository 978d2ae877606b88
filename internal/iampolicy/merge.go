package iampolicy

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Merge returns the text of the live document with our statements replaced by
// want: a statement is ours when ours(sid) is true. All that is not ours (other
// statements, Id, Version, unknown fields) is carried over byte for byte and in
// its order; want follows. A Version of 2008, or none, stays. live may be empty.
// It returns nil when no statement remains.
//
// It is an error if live is no JSON object with statements, if a statement of
// want has the Sid of a foreign one, or if want has a policy variable and the
// live Version does not know them.
func Merge(live []byte, ours func(sid string) bool, want []Statement) ([]byte, error) {
	if len(bytes.TrimSpace(live)) == 0 {
		if len(want) == 0 {
			return nil, nil
		}
		return Marshal(&Document{Version: Version2012, Statements: want}), nil
	}
	root, err := readJSON(live)
	if err != nil {
		return nil, fmt.Errorf("the live policy cannot be read: %w", err)
	}
	parts, start, end, err := foreign(live, root, ours)
	if err != nil {
		return nil, fmt.Errorf("the live policy cannot be read: %w", err)
	}
	if len(parts)+len(want) == 0 {
		return nil, nil
	}
	sids := map[string]bool{}
	var body []string
	for _, p := range parts {
		sids[p.sid] = true
		body = append(body, p.text)
	}
	version, _ := root.member("Version")
	for _, s := range want {
		if s.Sid != "" && sids[s.Sid] {
			return nil, fmt.Errorf("the Sid %q would stand twice: it is already in the live policy, in a statement that is not ours, or wanted twice", s.Sid)
		}
		w := string(marshalStatement(s))
		if version.str != Version2012 && strings.Contains(w, "${") {
			return nil, fmt.Errorf("statement %q has a policy variable, which the live policy's Version %q does not know", s.Sid, version.str)
		}
		sids[s.Sid] = true
		body = append(body, w)
	}
	var b bytes.Buffer
	b.Write(live[:start])
	b.WriteByte('[')
	b.WriteString(strings.Join(body, ","))
	b.WriteByte(']')
	b.Write(live[end:])
	return b.Bytes(), nil
}

type part struct{ sid, text string }

// foreign lists the statements that are not ours, and where the value of the
// Statement element starts and ends. It reads no more of the grammar than it
// needs: what this package does not understand must be carried over too.
func foreign(live []byte, root node, ours func(string) bool) (parts []part, start, end int, err error) {
	if root.kind != object {
		return nil, 0, 0, errorAt(live, root.start, "a policy must be a JSON object, not %s", root.kind)
	}
	statements, ok := root.member("Statement")
	if !ok {
		return nil, 0, 0, errorAt(live, root.start, "Statement is missing")
	}
	items := []node{statements}
	if statements.kind == array {
		items = statements.items
	}
	for _, n := range items {
		if n.kind != object {
			return nil, 0, 0, errorAt(live, n.start, "a statement must be an object, not %s", n.kind)
		}
		sid, ok := n.member("Sid")
		if ok && sid.kind != text {
			return nil, 0, 0, errorAt(live, sid.start, "Sid must be a string, not %s", sid.kind)
		}
		if !ours(sid.str) {
			parts = append(parts, part{sid: sid.str, text: string(live[n.start:n.end])})
		}
	}
	return parts, statements.start, statements.end, nil
}

// The most that AWS takes of a policy: of a managed one and of a role's trust
// policy in characters as Size counts them (IAM:reference_iam-quotas; a trust
// policy over 2,048 needs a higher quota), of a bucket's in bytes
// (S3:example-bucket-policies).
const (
	MaxManagedPolicy = 6144
	MaxTrustPolicy   = 4096
	MaxBucketPolicy  = 20480
)

// Size is the number of characters that count against IAM's quota for managed
// and trust policies (white space outside strings does not;
// IAM:reference_iam-quotas).
func Size(text []byte) int {
	n, inString := 0, false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		switch {
		case !inString && (r == ' ' || r == '\t' || r == '\n' || r == '\r'):
			continue
		case r == '"':
			inString = !inString
		case inString && r == '\\' && i < len(text):
			n++
			_, size = utf8.DecodeRune(text[i:])
			i += size
		}
		n++
	}
	return n
}
