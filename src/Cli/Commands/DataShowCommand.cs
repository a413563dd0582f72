using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data show</c>: rows as the model sees them, token by token, learned and masked told apart.</summary>
internal static class DataShowCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = $"Rows to show: {DataOptions.Formats}." };
        var model = new Option<string>("--model")
        {
            Description = "A folder with the tokenizer that cuts the rows.",
            HelpName = "DIR",
            Required = true,
        };
        var (template, length, json) = (CommonOptions.Template(), DataOptions.MaxLength(), CommonOptions.Json());
        var chosen = new Option<string>("--rows")
        {
            Description = "Which rows, counted from 1: a number, a range, or several of them.",
            HelpName = "3,7-9",
            DefaultValueFactory = _ => "1-3",
        };
        var ids = new Option<bool>("--ids") { Description = "One token a line, with its place and id." };
        var inputs = new Option<bool>("--train-on-inputs") { Description = "Learn prompts too, not answers alone." };
        var command = new Command(
            "show",
            "Print rows as they are learned: learned tokens in green and masked ones faint, "
            + "or learned ones in ⟦brackets⟧ where there is no color.")
        {
            file, model, template, length, inputs, chosen, ids, json,
        };
        command.SetAction(parsed =>
        {
            var tokenizer = TokenizerLoader.Load(parsed.GetValue(model)!);
            var form = TemplateResolver.Choose(
                parsed.GetValue(template)!, tokenizer, parsed.GetValue(model)!, adapter: null);
            var encoder = new ExampleEncoder(tokenizer, form.Template, new EncodingOptions
            {
                MaxLength = DataOptions.CheckLength(parsed.GetValue(length)),
                TrainOnInputs = parsed.GetValue(inputs),
            });
            var rows = ExampleFile.Read(parsed.GetValue(file)!).Examples;
            var asked = parsed.GetResult(chosen) is { Implicit: false };
            var shown = RowChoice.Parse(parsed.GetValue(chosen)!, rows.Count, isDefault: !asked)
                .Select(place => Shown.Of(rows[place - 1], encoder, tokenizer)).ToList();
            Terminal.Notes(form.Notes);
            if (parsed.GetValue(json))
            {
                DataOptions.PrintJson(new ShowResult(form.Template.Name, [.. shown.Select(row => row.ToResult())]));
            }
            else
            {
                foreach (var row in shown)
                {
                    Console.WriteLine(row.Heading);
                    Console.WriteLine(
                        parsed.GetValue(ids) ? row.Table() : TokenPaint.Paint(row.Pieces, Terminal.OutputIsRich));
                }
            }

            return 0;
        });
        return command;
    }

    /// <summary>One row, encoded and laid open.</summary>
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
