// FerretDB on loopback with SQLite files as its storage: a server of MongoDB's protocol for tests.
//
// Its own command cannot be built from the module proxy, because the proxy has no version file; its embeddable package
// can.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Version is set by the linker.
var Version = "unknown"

func main() {
	address := flag.String("address", "127.0.0.1:27017", "host and port to listen on")
	directory := flag.String("directory", "", "an existing directory, for the SQLite files")
	version := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *version {
		fmt.Println("ferretdb", Version)
		return
	}
	if *directory == "" {
		log.Fatal("-directory is not given: name an existing directory")
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: *address},
		Handler:   "sqlite",
		SQLiteURL: "file:" + *directory + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := server.Run(ctx); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}
