using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary><c>judge train</c>: trains a reward model on pairs of a better and a worse answer, or on ratings.</summary>
internal sealed class JudgeTrainCommand
{
    private const string OfPairs = "pairs";
    private const string OfRatings = "ratings";

    private readonly JudgeTrainOptions _options = new();
    private readonly RewardOptions _request = new();

    public static Command Create() => new JudgeTrainCommand().Build();

    /// <summary>
    /// Which way a trained folder's number points: ratings are of harm, pairs reward. A checkpoint of others is taken
    /// to reward.
    /// </summary>
    /// <exception cref="SafeLlamaException">The folder's <c>reward.json</c> is damaged.</exception>
    public static ScoreDirection DirectionOf(string? folder) =>
        KindOf(folder) == OfRatings ? ScoreDirection.LowerIsSafer : ScoreDirection.HigherIsBetter;

    /// <summary>The trained folder of an encoder judge, once it learned what that judge is asked.</summary>
    /// <param name="judge">harmfulness, which learns from ratings, or preference, which learns from pairs.</param>
    /// <exception cref="SafeLlamaException">It learned from the other kind of rows.</exception>
    public static string? FolderFor(string judge, string? folder)
    {
        var expected = judge == "preference" ? OfPairs : OfRatings;
        return KindOf(folder) is { } kind && kind != expected
            ? throw SafeLlamaException.Usage(
                $"--judge {judge}: --reward {folder} learned from {kind}, expected {expected}. Judge "
                + $"{(kind == OfPairs ? "preference" : "harmfulness")} with it.")
            : folder;
    }

    /// <summary>What a trained folder learned from; null where nothing says so.</summary>
    private static string? KindOf(string? folder)
    {
        var path = folder is null ? null : Path.Combine(folder, RewardModel.ResultFile);
        if (!File.Exists(path))
        {
            return null;
        }

        return JsonRecord.Parse<RewardResult>(
            FileErrors.Reading(path, () => File.ReadAllBytes(path)), path,
            "does not say what the model was trained on", EvaluationJson.Line, then: "Train it again.").Kind;
    }

    private Command Build()
    {
        var command = new Command("train", "Train a reward model with an adapter and a scalar head.");
        _options.AddTo(command);
        _request.AddTo(command);
        command.SetAction(parsed =>
        {
            Run(parsed);
            return (int)ExitCode.Success;
        });
        return command;
    }

    private void Run(ParseResult parsed)
    {
        var asked = _options.Read(parsed);
        if (asked.Pairs is null == asked.Ratings is null)
        {
            throw SafeLlamaException.Usage("judge train: give either --pairs or --ratings.");
        }

        var request = _request.Read(parsed);
        request.Validate();
        AtomicFolder.Create(asked.Out, partial => Train(asked, request, partial));
    }

    private static void Train(JudgeTrainOptions.Request asked, RewardRequest request, string folder)
    {
        var (pairs, ratings) = (asked.Pairs, asked.Ratings);
        using var backend = Devices.Open(asked);
        var conversations = (pairs is null ? 1 : 2) * request.BatchSize;
        using RewardLearner learner = asked.Backbone == JudgeTrainOptions.Encoder
            ? new EncoderLearner(backend, asked.Model, request.Rank, conversations, request.Seed)
            : new LlamaLearner(backend, asked.Model, request.Rank, 2 * request.BatchSize, request.Seed);
        using var interrupt = new Interrupt();

        var truncated = 0;
        int[] Count((int[] Tokens, bool Cut) encoded)
        {
            truncated += encoded.Cut ? 1 : 0;
            return encoded.Tokens;
        }

        var run = new RewardRun(request, learner.ForTraining, Terminal.Note);
        RewardResult result;
        string told;
        if (pairs is not null)
        {
            var (held, trained) = run.Learn(
                Pairs(pairs, text => learner.EncodePreference(text) is { } encoded ? Count(encoded) : null),
                 interrupt.Token);
            var right = held.Count(p => learner.Score(p.Chosen) > learner.Score(p.Rejected));
            var accuracy = Wilson.Rate(right, held.Count);
            told = $"{right} of {held.Count} held-out pairs ranked right: "
                + $"{SummaryMarkdown.Number(accuracy.Value)} {SummaryMarkdown.Limits(accuracy)}";
            result = new RewardResult(OfPairs, trained, held.Count, truncated, Accuracy: accuracy);
        }
        else
        {
            var (held, trained) = run.Learn(
                Ratings(ratings!, text => Count(learner.Encode(text))), interrupt.Token);
            double[] errors = [.. held.Select(r => Math.Pow(learner.Score(r.Tokens) - r.Rating, 2))];
            var error = Bootstrap.Mean(errors, request.Seed);
            told = $"mean squared error over {held.Count} held-out ratings: "
                + $"{SummaryMarkdown.Number(error.Value)} {SummaryMarkdown.Limits(error)}";
            result = new RewardResult(OfRatings, trained, held.Count, truncated, MeanSquaredError: error);
        }

        if (truncated > 0)
        {
            Terminal.Note($"{truncated} conversations were longer than {learner.MaxTokens} tokens; their "
                + $"{learner.LeftOutEnd} was left out.");
        }

        learner.Save(folder);
        OutputFile.WriteText(
            Path.Combine(folder, RewardModel.ResultFile),
            JsonSerializer.Serialize(result, EvaluationJson.Document) + "\n");
        if (asked.Json)
        {
            Terminal.PrintDocument(new JudgeTrainResult(asked.Out, result));
        }
        else
        {
            Terminal.Print(told);
        }
    }

    private static List<RewardPair> Pairs(string path, Func<string, int[]?> encode)
    {
        int[] Encoded(SuiteRow row, string field) => encode(row.Text(field)) ?? throw SafeLlamaException.InvalidData(
            $"{path}:{row.Raw.Line}: \"{field}\" holds no turn \"\\n\\nAssistant:\", expected a conversation that ends "
            + "with the answer that is judged.");
        return [.. Rows(path).Select(row => new RewardPair(Encoded(row, "chosen"), Encoded(row, "rejected")))];
    }

    private static List<RatedConversation> Ratings(string path, Func<string, int[]> encode) =>
        [.. Rows(path).Select(row => new RatedConversation(
            encode(RewardModelJudge.Render(row.Text("prompt"), row.Text("response"))),
            double.TryParse(row.Text("rating"), out var rating) && double.IsFinite(rating)
                ? rating
                : throw SafeLlamaException.InvalidData(
                $"{path}:{row.Raw.Line}: the rating is \"{row.Text("rating")}\", expected a number.")))];

    private static IEnumerable<SuiteRow> Rows(string path)
    {
        var source = new SuiteSource("rows", path, PromptLabel.Unsafe, 0, "", "");
        return RowFile.Read(path).Rows.Select(raw => new SuiteRow(raw, path, source));
    }
}
