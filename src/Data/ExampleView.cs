namespace SafeLlama.Data;

/// <summary>One token in readable form.</summary>
/// <param name="Id">The token.</param>
/// <param name="Text">
/// What it adds to the text; the spelling of a control token; empty where a character is still open.
/// </param>
/// <param name="Trained">True where the model learns to predict it.</param>
/// <param name="Control">True for a control token.</param>
public sealed record TokenPiece(int Id, string Text, bool Trained, bool Control);

/// <summary>A tokenized example in readable form, token by token, with prompt and learned tokens marked.</summary>
public static class ExampleView
{
    public static IReadOnlyList<TokenPiece> Pieces(ITokenizer tokenizer, TokenizedExample example)
    {
        var pieces = new TokenPiece[example.Length];
        for (var i = 0; i < pieces.Length; i++)
        {
            if (ControlSpelling(tokenizer, example.Tokens[i]) is { } spelling)
            {
                pieces[i] = new TokenPiece(example.Tokens[i], spelling, Trained(example, i), Control: true);
                continue;
            }

            // Text between control tokens is decoded as one run, as it was encoded.
            var start = i;
            while (i + 1 < pieces.Length && ControlSpelling(tokenizer, example.Tokens[i + 1]) is null)
            {
                i++;
            }

            var texts = TokenPieces.Of(tokenizer, example.Tokens[start..(i + 1)]);
            for (var j = start; j <= i; j++)
            {
                pieces[j] = new TokenPiece(example.Tokens[j], texts[j - start], Trained(example, j), Control: false);
            }
        }

        return pieces;
    }

    /// <summary>Neighboring pieces that are alike, joined: what a terminal prints in one color.</summary>
    public static IReadOnlyList<(string Text, bool Trained)> Spans(IReadOnlyList<TokenPiece> pieces)
    {
        var spans = new List<(string Text, bool Trained)>();
        foreach (var piece in pieces)
        {
            if (spans.Count > 0 && spans[^1].Trained == piece.Trained)
            {
                spans[^1] = (spans[^1].Text + piece.Text, piece.Trained);
            }
            else
            {
                spans.Add((piece.Text, piece.Trained));
            }
        }

        return spans;
    }

    private static bool Trained(TokenizedExample example, int place) => place == 0
        ? example.LabelCount > example.TargetCount
        : example.Targets[place - 1] != TokenizedExample.NoTarget;

    /// <summary>A control token decodes to nothing, unless control tokens are asked for.</summary>
    private static string? ControlSpelling(ITokenizer tokenizer, int id)
    {
        ReadOnlySpan<int> one = [id];
        return tokenizer.Decode(one).Length == 0 && tokenizer.Decode(one, keepControl: true) is { Length: > 0 } spelling
            ? spelling
            : null;
    }
}
