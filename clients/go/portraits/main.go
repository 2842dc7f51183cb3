// Portraits of the person in a photo: go run ./portraits HOST:PORT PHOTO
//
// They are written to the working directory, each named by its seed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	arc2face "arc2face.dev/clients/go/arc2face/v1"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: portraits HOST:PORT PHOTO")
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(explain(err))
	}
}

func generate(target, path string) error {
	photo, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	request := &arc2face.GenerateRequest{
		Identity:     &arc2face.IdentitySource{Source: &arc2face.IdentitySource_Photo{Photo: photo}},
		NumImages:    proto.Uint32(2),
		Steps:        proto.Uint32(4),
		Seed:         proto.Uint32(7),
		PreviewEvery: proto.Uint32(0),
	}
	events, err := arc2face.NewPortraitServiceClient(connection).Generate(context.Background(), request)
	if err != nil {
		return err
	}
	for {
		response, err := events.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch event := response.Event.(type) {
		case *arc2face.GenerateResponse_StepProgress:
			fmt.Printf("step %d of %d\n", event.StepProgress.Step, event.StepProgress.TotalSteps)
		case *arc2face.GenerateResponse_Image:
			name := fmt.Sprintf("%d.png", event.Image.Seed)
			if err := os.WriteFile(name, event.Image.Data, 0o644); err != nil {
				return err
			}
		}
	}
}

// The reason that the server gives, an ErrorReason, before its message.
func explain(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "arc2face.dev" {
			return info.Reason + ": " + status.Convert(err).Message()
		}
	}
	return err.Error()
}
