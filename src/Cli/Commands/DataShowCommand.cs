using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary>
/// <c>data show</c>: shows rows as the model reads them, token by token, with learned and masked tokens marked.
/// </summary>
internal static class DataShowCommand
{
    public static Command Create()
    {
        var options = new DataShowOptions();
        return options.Verb(
            "show",
            "Print rows as they are learned: learned tokens in green and masked ones faint, "
            + "or learned ones in ⟦brackets⟧ where there is no color.",
            (asked, parsed) =>
            {
                if (asked.Json)
                {
                    options.Refuse(parsed, "with --json, which holds the ids", nameof(asked.Ids));
                }

                return Run(asked, isDefault: !options.IsGiven(parsed, nameof(asked.Rows)));
            });
    }

    private static ExitCode Run(DataShowOptions.Request asked, bool isDefault)
    {
        var tokenizer = TokenizerLoader.Load(asked.Model);
        var form = TemplateResolver.Choose(asked.Template, tokenizer, asked.Model, adapter: null);
        var encoder = new ExampleEncoder(tokenizer, form.Template, new EncodingOptions
        {
            MaxLength = DataFiles.CheckLength(asked.MaxLength),
            TrainOnInputs = asked.TrainOnInputs,
        });
        var rows = ExampleFile.Read(asked.File).Examples;
        var shown = RowChoice.Parse(asked.Rows, rows.Count, isDefault)
            .Select(place => Shown.Of(rows[place - 1], encoder, tokenizer)).ToList();
        Terminal.Notes(form.Notes);
        if (asked.Json)
        {
            Terminal.PrintJson(new ShowResult(form.Template.Name, [.. shown.Select(row => row.ToResult())]));
            return ExitCode.Success;
        }

        foreach (var row in shown)
        {
            Console.WriteLine(row.Heading);
            Console.WriteLine(asked.Ids ? row.Table() : TokenPaint.Paint(row.Pieces, Terminal.OutputIsRich));
        }

        return ExitCode.Success;
    }

    /// <summary>One encoded row.</summary>
    private sealed record Shown(TrainingExample Row, EncodedExample Encoded, IReadOnlyList<TokenPiece> Pieces)
    {
        public static Shown Of(TrainingExample row, ExampleEncoder encoder, ITokenizer tokenizer)
        {
            var encoded = encoder.Encode(row);
            return new(row, encoded, encoded.Example is { } example ? ExampleView.Pieces(tokenizer, example) : []);
        }

        public string Heading => SafeText.ForTerminal($"── {Row.Source}  {Row.Id}  ")
            + $"{Pieces.Count} tokens, {Pieces.Count(p => p.Trained)} learned"
            + (Encoded.FullLength > Pieces.Count ? $", cut from {Encoded.FullLength}" : "");

        /// <summary>Place, id, learned or masked, text: one token a line.</summary>
        public string Table() => string.Join('\n', Pieces.Select((piece, place) =>
            $"{place,5}  {piece.Id,7}  {(piece.Trained ? "learned" : "masked ")}  "
            + JsonSerializer.Serialize(SafeText.ForTerminal(piece.Text), Json.Line)));

        public ShowResult.Row ToResult() => new(
            Row.Id, Row.Source.ToString(), Encoded.FullLength, Pieces.Count(p => p.Trained), Pieces);
    }
}
