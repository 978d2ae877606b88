package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed graph.gohtml
var graphPage string

// HTML writes the graph as one page that needs nothing else and runs no script:
// a picture, and the same as tables, by bucket and by role. What does not fit a
// picture any more is drawn between accounts.
func (g *Graph) HTML(w io.Writer) error {
	page, err := template.New("graph").Funcs(template.FuncMap{"clean": clean}).Parse(graphPage)
	if err != nil {
		return err
	}
	return page.Execute(w, g)
}

// Summary is the graph in a sentence.
func (g *Graph) Summary() string {
	buckets, roles := 0, 0
	for _, a := range g.Accounts {
		buckets += len(a.Buckets)
		roles += len(a.Roles)
	}
	return fmt.Sprintf("%s in %s: %s and %s with %s between them.", count(g.Shares, "share"), count(len(g.Accounts), "account"),
		count(roles, "role"), count(buckets, "bucket"), count(len(g.Grants), "grant"))
}

// NotesText is a node's notes in a line.
func (n *graphNode) NotesText() string { return strings.Join(n.Notes, ", ") }

// graphTable is the grants of an account's buckets, or of its roles.
type graphTable struct {
	Anchor, Title string
	Nodes         []*graphNode
}

// ByBucket is the grants as one reads them who asks who reaches a bucket.
func (g *Graph) ByBucket() []graphTable {
	var tables []graphTable
	for _, a := range g.Accounts {
		if len(a.Buckets) > 0 {
			tables = append(tables, graphTable{toAccount + a.Key, a.Title(), a.Buckets})
		}
	}
	return tables
}

// ByRole is the grants as one reads them who asks what a role reaches.
func (g *Graph) ByRole() []graphTable {
	var tables []graphTable
	for _, a := range g.Accounts {
		if len(a.Roles) > 0 {
			tables = append(tables, graphTable{fromAccount + a.Key, a.Title(), a.Roles})
		}
	}
	return tables
}

// Opposite is the other end of a grant of n.
func (n *graphNode) Opposite(g *graphGrant) *graphNode {
	if n == g.Role {
		return g.Bucket
	}
	return g.Role
}

// Picture is the drawing of the graph; nil where there is nothing to draw, or
// too much even between accounts.
func (g *Graph) Picture() *graphPicture { return drawGraph(g) }
