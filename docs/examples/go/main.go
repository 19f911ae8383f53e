// A service that lets in whoever has a token of Latchkey. VERIFY says how it finds out: offline, introspection, token-review.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

var (
	issuer      = os.Getenv("ISSUER")
	audience    = os.Getenv("AUDIENCE")
	callerToken = os.Getenv("CALLER_TOKEN")
	client      = http.Client{Timeout: 5 * time.Second}
)

type user struct {
	Username string   `json:"username"`
	Groups   []string `json:"groups"`
}

// By the published keys, without asking. They are read again when a token names a key that is not among them.
func offline(ctx context.Context) (func(context.Context, string) (user, error), error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.ES256}})
	return func(ctx context.Context, token string) (user, error) {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			return user{}, err
		}
		var claims struct {
			Username string   `json:"preferred_username"`
			Groups   []string `json:"groups"`
		}
		err = verified.Claims(&claims)
		return user{claims.Username, claims.Groups}, err
	}, nil
}

// By asking Latchkey (RFC 7662).
func introspection(ctx context.Context, token string) (user, error) {
	var answer struct {
		Active   bool     `json:"active"`
		Aud      []string `json:"aud"`
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	}
	form := url.Values{"token": {token}}.Encode()
	if err := ask(ctx, "/introspect", "application/x-www-form-urlencoded", strings.NewReader(form), &answer); err != nil {
		return user{}, err
	}
	if !answer.Active || !slices.Contains(answer.Aud, audience) {
		return user{}, errors.New("not active, or not for us")
	}
	return user{answer.Username, answer.Groups}, nil
}

// By asking as a kube-apiserver does.
func tokenReview(ctx context.Context, token string) (user, error) {
	question, err := json.Marshal(map[string]any{
		"apiVersion": "authentication.k8s.io/v1",
		"kind":       "TokenReview",
		"spec":       map[string]any{"token": token, "audiences": []string{audience}},
	})
	if err != nil {
		return user{}, err
	}
	var answer struct {
		Status struct {
			Authenticated bool     `json:"authenticated"`
			Audiences     []string `json:"audiences"`
			User          user     `json:"user"`
			Error         string   `json:"error"`
		} `json:"status"`
	}
	if err := ask(ctx, "/token-review", "application/json", strings.NewReader(string(question)), &answer); err != nil {
		return user{}, err
	}
	if !answer.Status.Authenticated || !slices.Contains(answer.Status.Audiences, audience) {
		return user{}, errors.New(answer.Status.Error)
	}
	return answer.Status.User, nil
}

func ask(ctx context.Context, path, contentType string, body io.Reader, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+callerToken)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", path, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

func main() {
	ways := map[string]func(context.Context, string) (user, error){
		"introspection": introspection,
		"token-review":  tokenReview,
	}
	whoIs, ok := ways[os.Getenv("VERIFY")]
	if !ok {
		var err error
		if whoIs, err = offline(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		token, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
		who, err := whoIs(request.Context(), token)
		if err != nil {
			response.Header().Set("WWW-Authenticate", "Bearer")
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		json.NewEncoder(response).Encode(who)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
