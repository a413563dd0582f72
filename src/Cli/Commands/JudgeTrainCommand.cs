using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary><c>judge train</c>: a reward model from pairs of a better and a worse answer, or from ratings.</summary>
internal sealed class JudgeTrainCommand
{
    private const string Llama = "llama";
    private const string Encoder = "encoder";

    private readonly Option<string> _model = CommonOptions.Model();
    private readonly Option<string> _out = CommonOptions.Out(
        "Where the reward model is written: adapter, head, reward.json.");

    private readonly Option<string?> _pairs = new("--pairs")
    {
        Description = "Rows of chosen and rejected conversations.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _ratings = new("--ratings")
    {
        Description = "Rows of prompt, response and rating.",
        HelpName = "FILE",
    };

    private readonly Option<double> _heldOut = new("--validation")
    {
        Description = "The share of rows held out.",
        HelpName = "P",
        DefaultValueFactory = _ => 0.1,
    };

    private readonly Option<string> _backbone = new("--backbone")
    {
        Description = "What --model is: llama, whose score is read from the last token, or encoder, a DeBERTa-v2 or v3 "
            + "that learns ratings.",
        HelpName = "NAME",
        DefaultValueFactory = _ => Llama,
    };

    private readonly Option<int> _rank = new("--rank")
    {
        Description = "The adapter's rank.",
        HelpName = "R",
        DefaultValueFactory = _ => 8,
    };

    private readonly Option<double> _rate = new("--learning-rate")
    {
        Description = "The peak learning rate.",
        HelpName = "X",
        DefaultValueFactory = _ => 2e-4,
    };

    private readonly Option<int> _batch = new("--batch-size")
    {
        Description = "Pairs or ratings of a step.",
        HelpName = "N",
        DefaultValueFactory = _ => 16,
    };

    private readonly Option<int> _epochs = new("--epochs")
    {
        Description = "Times through the rows.",
        HelpName = "E",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<int?> _limit = new("--limit")
    {
        Description = "Use so many rows, drawn by the seed.",
        HelpName = "N",
    };

    private readonly Option<string> _device = CommonOptions.Device();
    private readonly Option<int> _threads = CommonOptions.Threads();
    private readonly Option<long> _seed = CommonOptions.Seed();

    public static Command Create() => new JudgeTrainCommand().Build();

    /// <summary>
    /// Which way a trained folder's number points: ratings are of harm, pairs reward. A checkpoint of others is taken
    /// to reward.
    /// </summary>
    /// <exception cref="SafeLlamaException">The folder's <c>reward.json</c> is damaged.</exception>
    public static ScoreDirection DirectionOf(string? folder)
    {
        var path = folder is null ? null : Path.Combine(folder, RewardModel.ResultFile);
        if (!File.Exists(path))
        {
            return ScoreDirection.HigherIsBetter;
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.GetProperty("kind").GetString() == "ratings"
                ? ScoreDirection.LowerIsSafer
                : ScoreDirection.HigherIsBetter;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: does not say what the model was trained on; train it again.", e);
        }
    }

    private Command Build()
    {
        var command = new Command("train", "Train a reward model with an adapter and a scalar head.");
        foreach (var option in (Option[])[_model, _backbone, _pairs, _ratings, _out, _heldOut, _rank, _rate, _batch, _epochs,
            _limit, _device, _threads, _seed])
        {
            command.Add(option);
        }

        _backbone.AcceptOnlyFromAmong(Llama, Encoder);
        command.SetAction(parsed =>
        {
            Run(parsed);
            return (int)ExitCode.Success;
        });
        return command;
    }

    private void Run(ParseResult parsed)
    {
        var (pairs, ratings) = (parsed.GetValue(_pairs), parsed.GetValue(_ratings));
        if (pairs is null == ratings is null)
        {
            throw SafeLlamaException.Usage("judge train: give either --pairs or --ratings.");
        }

        if (pairs is not null && parsed.GetValue(_backbone) == Encoder)
        {
            throw SafeLlamaException.Usage(
                $"--backbone {Encoder}: learns from --ratings; for --pairs use --backbone {Llama}.");
        }

        foreach (var option in (Option<int>[])[_batch, _epochs, _rank])
        {
            if (parsed.GetValue(option) < 1)
            {
                throw SafeLlamaException.Usage($"{option.Name} {parsed.GetValue(option)}: expected at least 1.");
            }
        }

        var (folder, seed) = (parsed.GetValue(_out)!, parsed.GetValue(_seed));
        AtomicFolder.Create(folder, partial => Train(parsed, pairs, ratings, partial, seed));
    }

    private void Train(ParseResult parsed, string? pairs, string? ratings, string folder, long seed)
    {
        using var backend = Devices.Open(parsed.GetValue(_device)!, parsed.GetValue(_threads));
        var (model, rank, batch) = (parsed.GetValue(_model)!, parsed.GetValue(_rank), parsed.GetValue(_batch));
        using RewardLearner learner = parsed.GetValue(_backbone) == Encoder
            ? new EncoderLearner(backend, model, rank, batch, seed)
            : new LlamaLearner(backend, model, rank, 2 * batch, seed);
        using var interrupt = new Interrupt();

        var truncated = 0;
        int[] Encode(string text)
        {
            var (tokens, cut) = learner.Encode(text);
            truncated += cut ? 1 : 0;
            return tokens;
        }

        RewardResult result;
        if (pairs is not null)
        {
            var (train, held) = Split(Pairs(pairs, Encode), parsed);
            Learn(learner, train, p => p.Chosen.Length + p.Rejected.Length, (t, b) => t.Step(b), parsed, interrupt.Token);
            var right = held.Count(p => learner.Score(p.Chosen) > learner.Score(p.Rejected));
            var accuracy = Wilson.Rate(right, held.Count);
            Console.WriteLine($"{right} of {held.Count} held-out pairs ranked right: "
                + $"{SummaryMarkdown.Number(accuracy.Value)} {SummaryMarkdown.Limits(accuracy)}");
            result = new RewardResult("pairs", train.Count, held.Count, truncated, Accuracy: accuracy);
        }
        else
        {
            var (train, held) = Split(Ratings(ratings!, Encode), parsed);
            Learn(learner, train, r => r.Tokens.Length, (t, b) => t.Step(b), parsed, interrupt.Token);
            double[] errors = [.. held.Select(r => Math.Pow(learner.Score(r.Tokens) - r.Rating, 2))];
            var error = Bootstrap.Mean(errors, seed);
            Console.WriteLine($"mean squared error over {held.Count} held-out ratings: "
                + $"{SummaryMarkdown.Number(error.Value)} {SummaryMarkdown.Limits(error)}");
            result = new RewardResult("ratings", train.Count, held.Count, truncated, MeanSquaredError: error);
        }

        if (truncated > 0)
        {
            Terminal.Note($"{truncated} conversations were longer than {learner.MaxTokens} tokens; their "
                + $"{learner.LeftOutEnd} was left out.");
        }

        learner.Save(folder);
        OutputFile.WriteText(
            Path.Combine(folder, RewardModel.ResultFile), JsonSerializer.Serialize(result, EvaluationJson.Document) + "\n");
    }

    private void Learn<T>(
        RewardLearner learner, IReadOnlyList<T> rows, Func<T, int> tokens,
        Func<RewardTrainer, IReadOnlyList<T>, double> step,
        ParseResult parsed, CancellationToken cancellation)
    {
        var (batch, epochs, seed) = (parsed.GetValue(_batch), parsed.GetValue(_epochs), parsed.GetValue(_seed));
        var order = Enumerable.Range(0, epochs)
            .SelectMany(e => Philox.Stream(seed, "reward.order", e).Permutation(rows.Count)).Select(i => rows[i]);
        T[][] batches = [.. order.Chunk(batch)];
        var schedule = new LearningRateSchedule(
            ScheduleShape.Linear, parsed.GetValue(_rate), Math.Min(10, batches.Length - 1), batches.Length);
        schedule.Validate();
        using var trainer = new RewardTrainer(
            learner.ForTraining(batches.Max(b => b.Sum(tokens))), schedule, seed);
        foreach (var rowsOfStep in batches)
        {
            cancellation.ThrowIfCancellationRequested();
            var loss = step(trainer, rowsOfStep);
            Terminal.Note($"step {trainer.StepsDone}/{batches.Length}  loss {loss:0.0000}");
        }
    }

    private (IReadOnlyList<T> Train, IReadOnlyList<T> HeldOut) Split<T>(IReadOnlyList<T> rows, ParseResult parsed)
    {
        var order = Philox.Stream(parsed.GetValue(_seed), "reward.split").Permutation(rows.Count);
        var used = Math.Min(rows.Count, parsed.GetValue(_limit) ?? rows.Count);
        var held = (int)Math.Round(used * parsed.GetValue(_heldOut));
        return held >= 1 && held < used
            ? ([.. order[held..used].Select(i => rows[i])], [.. order[..held].Select(i => rows[i])])
            : throw SafeLlamaException.Usage(
                $"--validation {parsed.GetValue(_heldOut)}: leaves {used - held} of {used} rows to train on and {held} "
                + "to test; both need one.");
    }

    private static List<RewardPair> Pairs(string path, Func<string, int[]> encode) =>
        [.. Rows(path).Select(row => new RewardPair(encode(row.Text("chosen")), encode(row.Text("rejected"))))];

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
