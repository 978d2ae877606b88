package report

import (
	"fmt"
	"io"
	"strings"
)

// Mermaid writes the graph as a Mermaid flowchart. Its limits are the viewer's:
// see MermaidEdges and MermaidText.
// https://mermaid.js.org/syntax/flowchart.html
func (g *Graph) Mermaid(w io.Writer) error {
	p := newPrinter(w, Style{})
	p.line("flowchart LR")
	for _, a := range g.Accounts {
		p.linef("  subgraph %s[%s]", a.Key, mermaidText(a.Title()))
		for _, n := range a.Roles {
			p.linef("    %s(%s)", n.Key, mermaidText(n.Name))
		}
		for _, n := range a.Buckets {
			p.linef("    %s[(%s)]", n.Key, mermaidText(n.Name))
		}
		p.line("  end")
	}
	for _, e := range g.Grants {
		arrow := "-->"
		if e.Changes {
			arrow = "==>"
		}
		p.linef("  %s %s|%s| %s", e.Role.Key, arrow, mermaidText(e.label()), e.Bucket.Key)
	}
	for _, a := range g.Accounts {
		if a.Partner {
			p.linef("  style %s stroke-dasharray: 5 5", a.Key)
		}
	}
	return p.done()
}

// What Mermaid draws at most where nobody has set it otherwise, as on GitHub.
// https://mermaid.js.org/config/schema-docs/config.html
const (
	MermaidEdges = 500   // arrows
	MermaidText  = 50000 // characters of text
)

// mermaidText is a text as a quoted label. A quote would end it, and much else
// means something to Mermaid, to the Markdown that it reads labels as, or to
// the Markdown around the diagram; so all that is not known to be harmless is
// written by its number. The first character must be a letter: else a label
// could be a list's item.
// https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
func mermaidText(text string) string {
	if text == "" {
		return `" "` // which Mermaid takes, unlike nothing
	}
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range clean(text) {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if letter || i > 0 && (r >= '0' && r <= '9' || strings.ContainsRune(" -.,/", r)) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Dot writes the graph in Graphviz' language.
// https://graphviz.org/doc/info/lang.html
func (g *Graph) Dot(w io.Writer) error {
	p := newPrinter(w, Style{})
	p.linef("digraph %s {", dotText("xshare "+g.Repository))
	p.line(`  rankdir=LR;`)
	p.line(`  node [shape=box, style=rounded, fontname="sans-serif"];`)
	p.line(`  edge [fontname="sans-serif", fontsize=11];`)
	for _, a := range g.Accounts {
		p.linef("  subgraph cluster_%s {", a.Key)
		p.linef(`    label=%s; fontname="sans-serif"; labeljust=l;`, dotText(a.Title()))
		if a.Partner {
			p.line("    style=dashed;")
		}
		for _, n := range a.Roles {
			p.linef("    %s [label=%s];", n.Key, dotText(n.Name))
		}
		for _, n := range a.Buckets {
			p.linef(`    %s [label=%s, shape=cylinder, style=solid];`, n.Key, dotText(n.Name))
		}
		p.line("  }")
	}
	for _, e := range g.Grants {
		style := ""
		if e.Changes {
			style = ", style=bold"
		}
		p.linef("  %s -> %s [label=%s, tooltip=%s%s];", e.Role.Key, e.Bucket.Key, dotText(e.label()), dotText("share "+e.Share), style)
	}
	p.line("}")
	return p.done()
}

// dotEscapes are the characters that mean something in a quoted text: the
// quote, the backslash (\n, \l, \N and so on are escapes of labels), and the
// ampersand, since entities of HTML are read in plain labels too.
var dotEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`, `&`, `&amp;`)

// dotText is a text as a quoted string, which is never HTML.
func dotText(text string) string { return `"` + dotEscapes.Replace(clean(text)) + `"` }
