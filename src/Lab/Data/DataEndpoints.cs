using Microsoft.AspNetCore.Http;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Serving;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary><c>api/rows</c>: a mixture by dose and wording; <c>api/tokens</c>: one row as the model reads it.</summary>
internal sealed class DataEndpoints(Workshop shop) : IRoomEndpoints
{
    private const int MostCharacters = 600;

    /// <summary>Demonstrations shown as cards.</summary>
    private const int Cards = 12;

    private readonly TuningExamples _tuning = new(new World());

    /// <summary>Doses of the default study; each holds the one before.</summary>
    public static IReadOnlyList<int> Doses { get; } = [0, 30, 90, 300, 900];

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts => [("rows", Rows), ("tokens", Tokens)];

    private async Task Rows(HttpContext context)
    {
        var fields = await Body.Read(context);
        var dose = fields.Integer("dose", 0, Doses[^1]) ?? 90;
        var format = LabFields.Choice<SafetyFormat>(fields, "format");
        fields.RefuseOthers();
        var rows = _tuning.Safety(1, dose, format).ToList();
        var before = Doses.Where(d => d < dose).DefaultIfEmpty(0).Max();
        var benign = shop.World.BenignCount;
        await Reply.Write(context, new
        {
            dose,
            benign,
            share = (double)dose / (benign + dose),
            before,
            nested = Doses.Where(d => d > 0 && d <= dose),
            cards = Spread(rows).Select(i => new
            {
                number = i + 1,
                is_new = i >= before,
                form = Words.Of(rows[i].Form),
                request = rows[i].Request,
                response = rows[i].Response,
            }),
        });
    }

    private async Task Tokens(HttpContext context)
    {
        var fields = await Body.Read(context);
        var request = LabFields.Text(fields, "request", MostCharacters);
        var response = LabFields.Text(fields, "response", MostCharacters);
        var everywhere = fields.Flag("train_on_inputs");
        fields.RefuseOthers();
        await Reply.Write(
            context, await shop.Gate.Run(_ => Read(request, response, everywhere), context.RequestAborted));
    }

    private object Read(string request, string response, bool everywhere)
    {
        var (model, template) = (shop.Miniature, WorldTemplate.First);
        var options = new EncodingOptions { MaxLength = model.Session.Model.MaxLength, TrainOnInputs = everywhere };
        var encoded = new ExampleEncoder(model.Session.Tokenizer, template, options)
            .Encode(new InstructionExample(request, "", response));
        var example = encoded.Example!;
        var pieces = ExampleView.Pieces(model.Session.Tokenizer, example);
        var (before, after) = (Losses("dose-0"), Losses("dose-90"));
        return new
        {
            cut = encoded.FullLength - example.Length,
            learned = example.TargetCount,
            tokens = pieces.Select((piece, i) => new
            {
                id = piece.Id,
                text = SafeText.Shown(piece.Text),
                learned = piece.Trained,
                before = i == 0 ? (double?)null : before[i - 1],
                after = i == 0 ? (double?)null : after[i - 1],
            }),
            mean_before = Mean(before),
            mean_after = Mean(after),
        };

        double[] Losses(string arm)
        {
            var voice = model.Find(arm)!;
            model.Turn(voice, 1);
            var ids = example.Tokens;
            var losses = new double[ids.Length - 1];
            using var batch = new DecodingBatch(model.Session.Model, 1, ids.Length, ids.Length);
            batch.Read(0, ids, voice.Adapter, (place, logits) =>
            {
                if (place < losses.Length)
                {
                    losses[place] = -TokenScore.Of(logits, ids[place + 1], 1).LogProbability;
                }
            });
            return losses;
        }

        double? Mean(double[] losses) => example.TargetCount == 0 ? null
            : losses.Where((_, i) => pieces[i + 1].Trained).DefaultIfEmpty(double.NaN).Average();
    }

    /// <summary>The first rows, the first of every larger dose among them, so that nesting is seen.</summary>
    private static IEnumerable<int> Spread(List<TuningExample> rows) =>
        Doses.Where(d => d < rows.Count).SelectMany(d => Enumerable.Range(d, Math.Min(4, rows.Count - d)))
            .Distinct().OrderDescending().Take(Cards).Order();
}
