package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [RULE | DDI]",
		Short: "Explain a rule or a DDI; without an argument, list them",
		Example: `  nxport explain C30030
  nxport explain ExAllocatePoolWithTag`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return report.Topics(cmd.OutOrStdout(), rule.All(), nx.DDIs())
			}
			return explain(cmd.OutOrStdout(), args[0])
		},
	}
}

func explain(w io.Writer, topic string) error {
	for _, r := range rule.All() {
		if strings.EqualFold(topic, r.ID) || strings.EqualFold(topic, r.Name) {
			return report.Rule(w, r)
		}
	}
	found := false
	for _, d := range nx.DDIs() {
		_, method, _ := d.Method()
		if !strings.EqualFold(topic, d.Name) && !strings.EqualFold(topic, method) {
			continue
		}
		found = true
		if err := report.DDI(w, d); err != nil {
			return err
		}
	}
	if found {
		return nil
	}
	return fmt.Errorf("%q is neither a rule nor a DDI that nxport knows: see nxport explain", topic)
}
