package main

import (
	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/header"
)

func headerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "header",
		Short: "Print nxpool.h, the opt-in for kits that have none",
		Long: `header prints nxpool.h: POOL_NX_OPTIN, POOL_NX_OPTIN_AUTO, POOL_NX_OPTOUT and ExInitializeDriverRuntime for kits whose
headers know nothing of them, such as mingw-w64's. Include it after the kit's own header; nxport port --kit mingw does so.`,
		Example: "  nxport header > nxpool.h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := cmd.OutOrStdout().Write([]byte(header.Text()))
			return err
		},
	}
}
