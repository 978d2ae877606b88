package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestGraphTooLargeForMermaid says so on stderr, and draws all the same.
func TestGraphTooLargeForMermaid(t *testing.T) {
	dir := t.TempDir()
	var share strings.Builder
	share.WriteString("apiVersion: xshare/v1\nkind: Share\nmetadata: {name: wide}\nspec:\n  bucket: {name: acme-wide, account: lake, create: true}\n  consumers:\n")
	const grants = 501
	for i := range grants {
		fmt.Fprintf(&share, "    - {account: analytics, role: {name: r%d}, access: read}\n", i)
	}
	writeFiles(t, dir, map[string]string{"xshare.yaml": leastRepository, "shares/wide.yaml": share.String()})
	for format, hint := range map[string]bool{"mermaid": true, "dot": false, "html": false} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"graph", "--format", format, dir}, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, nil)
		if code != exitDone || strings.Count(stdout.String(), "r500") == 0 {
			t.Errorf("%s: exit code %d, %d bytes: %s", format, code, stdout.Len(), &stderr)
		}
		if told := strings.Contains(stderr.String(), "Mermaid draws at most 500"); told != hint {
			t.Errorf("%s: stderr says %q", format, &stderr)
		}
	}
}
