package main

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"

	"github.com/xshare/xshare/internal/report"
)

func newGraphCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "graph [DIR]",
		Short: "Draw who reaches what, from the specs",
		Long: `Draws the repository: buckets and roles by account, and between them what each
role may do. It shows what the specs say and calls nothing; what is live is what
drift and verify tell. mermaid is what GitHub and GitLab show in Markdown, dot
is Graphviz's, html is one page that needs nothing else.

A thick arrow may change objects; a dashed account is not managed.`,
		Example: `  xshare graph > access.mmd
  xshare graph --format dot | dot -Tsvg > access.svg
  xshare graph --format html > access.html
  xshare graph --since origin/main`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.graph(cmd.Context(), directory(args)) },
	}
	a.addFormat(cmd, "mermaid", "dot", "html")
	a.addSelectionFlags(cmd)
	return cmd
}

func (a *app) graph(ctx context.Context, dir string) error {
	repo, err := a.loadSound(dir)
	if err != nil {
		return err
	}
	selected, err := a.selection(repo)
	if err != nil {
		return err
	}
	changed, err := a.changedSince(ctx, dir, repo)
	if err != nil {
		return err
	}
	g := report.NewGraph(repo, func(share string) bool {
		return selected(share) && (changed == nil || changed.selected[share])
	})
	var text bytes.Buffer // what cannot be written whole is not begun
	switch a.flags.format {
	case "dot":
		err = g.Dot(&text)
	case "html":
		err = g.HTML(&text)
	default:
		err = g.Mermaid(&text)
		if len(g.Grants) > report.MermaidEdges || text.Len() > report.MermaidText {
			a.say("the graph has %d grants in %d characters, and Mermaid draws at most %d in %d unless it is set otherwise: take --only, or --format html",
				len(g.Grants), text.Len(), report.MermaidEdges, report.MermaidText)
		}
	}
	if err != nil {
		return err
	}
	_, err = a.streams.out.Write(text.Bytes())
	return err
}
