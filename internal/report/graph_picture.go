package report

import (
	"fmt"
	"unicode/utf8"
)

// graphPicture is a drawing in two columns, roles at the left and buckets at
// the right, each under its account, with a curve a grant.
type graphPicture struct {
	Width, Height int
	Coarse        bool // accounts only
	Rows          []graphRow
	Curves        []graphCurve
}

// graphRow is one line of text in a column.
type graphRow struct {
	X, Y           int // of the text's baseline
	Text, Full     string
	Anchor         string // of the entry in the tables
	Account, Ended bool   // a heading; the text ends at X
}

type graphCurve struct {
	Path, Full string
	Changes    bool
}

// What anchors of accounts begin with: their roles', and their buckets'.
const (
	fromAccount = "from-"
	toAccount   = "to-"
)

// The measures of the drawing, in pixels, and of its texts, in characters.
const (
	pictureWidth  = 960
	pictureColumn = 350 // of texts; what is between the columns is the curves'
	pictureRow    = 24
	pictureText   = 42
	pictureRows   = 60  // as many rows of one column are still read as a picture
	pictureMost   = 150 // accounts of a column
	pictureCurves = 400
)

// drawGraph draws every role and bucket if they are few, else the accounts.
// Its time grows with what there is to draw.
func drawGraph(g *Graph) *graphPicture {
	left, right := 0, 0      // rows
	fromAccs, toAccs := 0, 0 // accounts with roles, with buckets
	for _, a := range g.Accounts {
		if len(a.Roles) > 0 {
			fromAccs++
		}
		if len(a.Buckets) > 0 {
			toAccs++
		}
		left, right = left+len(a.Roles), right+len(a.Buckets)
	}
	p := &graphPicture{Width: pictureWidth, Coarse: max(left+fromAccs, right+toAccs) > pictureRows}
	if len(g.Accounts) == 0 || p.Coarse && max(fromAccs, toAccs) > pictureMost {
		return nil
	}
	at := map[string]int{} // where curves begin and end, by anchor
	bottom := 0
	for _, side := range []struct {
		prefix string
		x      int
		ended  bool
		of     func(*graphAccount) []*graphNode
	}{
		{fromAccount, pictureColumn, true, func(a *graphAccount) []*graphNode { return a.Roles }},
		{toAccount, pictureWidth - pictureColumn, false, func(a *graphAccount) []*graphNode { return a.Buckets }},
	} {
		y := pictureRow
		row := func(anchor, text string, heading bool) {
			p.Rows = append(p.Rows, graphRow{X: side.x, Y: y, Text: shortened(text), Full: clean(text), Anchor: anchor, Account: heading, Ended: side.ended})
			at[anchor] = y - pictureRow/5
			y += pictureRow
		}
		for _, a := range g.Accounts {
			nodes := side.of(a)
			if len(nodes) == 0 {
				continue
			}
			row(side.prefix+a.Key, a.Title(), true)
			if p.Coarse {
				continue
			}
			for _, n := range nodes {
				row(n.Key, n.Name, false)
			}
			y += pictureRow / 2
		}
		bottom = max(bottom, y)
	}
	p.Height = bottom
	if p.Coarse {
		p.betweenAccounts(g, at)
	} else {
		for _, e := range g.Grants {
			p.curve(at[e.Role.Key], at[e.Bucket.Key], e.Role.Name+" → "+e.Bucket.Name+": "+e.label(), e.Changes)
		}
	}
	if len(p.Curves) > pictureCurves {
		return nil
	}
	return p
}

// betweenAccounts draws one curve for all grants from an account to another.
func (p *graphPicture) betweenAccounts(g *Graph, at map[string]int) {
	type pair struct{ from, to *graphAccount }
	var order []pair
	grants, changes := map[pair]int{}, map[pair]bool{}
	for _, e := range g.Grants {
		of := pair{e.Role.Account, e.Bucket.Account}
		if grants[of] == 0 {
			order = append(order, of)
		}
		grants[of]++
		changes[of] = changes[of] || e.Changes
	}
	for _, of := range order {
		p.curve(at[fromAccount+of.from.Key], at[toAccount+of.to.Key],
			of.from.Title()+" → "+of.to.Title()+": "+count(grants[of], "grant"), changes[of])
	}
}

func (p *graphPicture) curve(from, to int, text string, changes bool) {
	const space = 8
	left, right := pictureColumn+space, pictureWidth-pictureColumn-space
	middle := (left + right) / 2
	p.Curves = append(p.Curves, graphCurve{
		Path: fmt.Sprintf("M%d %dC%d %d %d %d %d %d", left, from, middle, from, middle, to, right, to), Full: clean(text), Changes: changes,
	})
}

// shortened is a text that fits a column; the whole is in the row's title.
func shortened(text string) string {
	text = clean(text)
	if utf8.RuneCountInString(text) <= pictureText {
		return text
	}
	return string([]rune(text)[:pictureText-1]) + "…"
}
