using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Cli.Commands;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Study;
using SafeLlama.Training;

namespace SafeLlama.Cli.Study;

/// <summary>A base model of the study in miniature, from a seed: world, tokenizer, training, model folder.</summary>
/// <remarks>
/// <code>
/// making/world/        what the base reads, of this seed
/// making/tokenizer/    learned from it
/// making/config.json   the recipe's shape with that tokenizer's size
/// making/training/     the run of <c>train</c>, to resume
/// made.json            seed, vectors, settings, hashes of the files beside it
/// </code>
/// Each step is the one that its own verb would do; <c>recipes/miniature-base.yaml</c> names them.
/// </remarks>
/// <param name="world">What the base reads.</param>
/// <param name="seed">Draws text, tokenizer rows, first weights and order.</param>
/// <param name="init">A file with the shape of its weights; null for the recipe's.</param>
/// <param name="output">The model's folder.</param>
/// <param name="threads">Of the cpu; changes the time alone.</param>
internal sealed class MiniatureBase(WorldName world, long seed, string? init, string output, int threads)
{
    /// <summary>Asked of the tokenizer; pairs run out a little before, so that every word is one token.</summary>
    public static int VocabularySizeOf(WorldName world) => world == WorldName.First ? 1536 : 2048;

    /// <summary>Steps from one look at the held-out loss to the next, where a base is trained until it falls to
    /// one.</summary>
    private const int LookEvery = 25;

    /// <summary>By this a base that was begun is known.</summary>
    public static readonly RunSign Sign = new(Path.Combine(Making, "world", WorldManifest.FileName), "seed", "dials");

    /// <summary>Where a base is made.</summary>
    private const string Making = "making";

    private static readonly string Recipes = Path.Combine(AppContext.BaseDirectory, "recipes");
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The loss on held-out text at which training stops; null for the recipe's steps.</summary>
    public double? UntilLoss { get; init; }

    /// <summary>Whether the result is printed as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>The command that makes a base, without the folder.</summary>
    public static string CommandOf(WorldName world, long seed, string? init, double? until) =>
        $"safellama study base{(world == WorldName.First ? "" : " --world wide")} --seed {seed}"
        + (init is null ? "" : $" --init {Path.GetFileName(init)}")
        + (until is null ? "" : FormattableString.Invariant($" --until-loss {until}"));

    private string RecipeName => WorldNames.ModelOf(world) + "-base";

    private string World => Path.Combine(output, Making, "world");

    private string Tokenizer => Path.Combine(output, Making, "tokenizer");

    private string Config => Path.Combine(output, Making, "config.json");

    private string Run => Path.Combine(output, Making, "training");

    private string Text => Path.Combine(World, "pretraining.txt");

    /// <exception cref="SafeLlamaException">The folder holds something else, or cannot be written.</exception>
    public ExitCode Make(bool resume, CancellationToken stop)
    {
        if (init is not null && !File.Exists(init))
        {
            throw SafeLlamaException.Usage($"--init {init}: is no file, expected a config.json.");
        }

        using var claimed = OutputFolder.Claim(output, resume, Sign);
        if (!Directory.Exists(World))
        {
            WorldExport.Write(new World(WorldNames.DialsOf(world)), seed, World);
        }

        MustBeOfThisWorld();
        AtomicFolder.Ensure(Tokenizer, "tokenizer.json", folder => Vocabulary().Write(folder));
        KeepShape();
        KeepLoss();
        var settings = Settings();
        var code = TrainCommand.Run(
            settings, Run, resume: true, profileSteps: 0, json: false, stop, tellsHow: false);
        if (code == ExitCode.Success)
        {
            return Finish(settings);
        }

        return code;
    }

    private void MustBeOfThisWorld()
    {
        var made = Manifest();
        if (made.Seed != seed)
        {
            throw SafeLlamaException.Usage(
                $"--seed {seed}: {output} was begun with seed {made.Seed}; name another --out folder.");
        }

        if (made.Dials != WorldNames.DialsOf(world))
        {
            throw SafeLlamaException.Usage(
                $"--world {world.ToString().ToLowerInvariant()}: {output} was begun with another world; name another "
                + "--out folder.");
        }
    }

    /// <summary>A base that was begun keeps its shape: its weights have it already.</summary>
    private void KeepShape()
    {
        var shape = Shape().ToJsonString(Indented) + "\n";
        if (!File.Exists(Config))
        {
            OutputFile.WriteText(Config, shape);
        }
        else if (FileErrors.Reading(Config, () => File.ReadAllText(Config)) != shape)
        {
            throw SafeLlamaException.Usage(
                $"{(init is null ? $"the shape of {RecipeName}" : $"--init {init}")}: {output} was begun with another "
                + $"shape, which is in {Config}; go on with that one, or name another --out folder.");
        }
    }

    /// <summary>A base that was begun goes on until the loss that it was begun for.</summary>
    private void KeepLoss()
    {
        if (!RunFile.IsIn(Run))
        {
            return;
        }

        var begun = RunFile.Read(Run).Settings.GetValueOrDefault("until-loss") is { IsGiven: true } given
            ? given.Value : "no loss";
        var asked = UntilLoss?.ToString(CultureInfo.InvariantCulture) ?? "no loss";
        if (begun != asked)
        {
            throw SafeLlamaException.Usage(
                $"--until-loss: {output} was begun until {begun}, now {asked} is asked for; go on as it was begun, or "
                + "name another --out folder.");
        }
    }

    private WorldManifest Manifest() => WorldManifest.Of(World);

    private TrainedTokenizer Vocabulary() => DataTokenizerCommand.Learn(
        [Text, Path.Combine(World, "tuning", "benign.jsonl"), Path.Combine(World, "tuning", "safety-mixed.jsonl")],
        template: null,
        new BpeTrainerOptions { VocabularySize = VocabularySizeOf(world) });

    /// <summary>The shape asked for; only the vocabulary's size is the tokenizer's own.</summary>
    private JsonObject Shape()
    {
        var file = init ?? Path.Combine(Recipes, RecipeName + ".config.json");
        var shape = JsonRecord.Parse<JsonObject>(
            FileErrors.Reading(file, () => File.ReadAllBytes(file)), file, "is no shape of a model");
        shape["vocab_size"] = TokenizerLoader.Load(Tokenizer).VocabularySize;
        return shape;
    }

    private SettingTable<FineTuneRequest> Settings()
    {
        var settings = new SettingTable<FineTuneRequest>();
        settings.Apply(RecipeFile.Read(Path.Combine(Recipes, RecipeName + ".yaml"), new FineTuneOptions().Forms));
        settings.Apply(new Dictionary<string, SettingValue>
        {
            ["init"] = new(Config, "study base"),
            ["tokenizer"] = new(Tokenizer, "study base"),
            ["data"] = new(Text, "study base"),
            ["seed"] = new(seed.ToString(CultureInfo.InvariantCulture), "--seed"),
            ["threads"] = new(threads.ToString(CultureInfo.InvariantCulture), "--threads"),
        });
        if (UntilLoss is { } until)
        {
            settings.Apply(new Dictionary<string, SettingValue>
            {
                ["until-loss"] = new(until.ToString(CultureInfo.InvariantCulture), "--until-loss"),
                ["evaluate-every"] = new($"{LookEvery}", "--until-loss"),
            });
        }

        return settings;
    }

    /// <returns>Success, or that the loss asked for was not reached; the base is there either way.</returns>
    private ExitCode Finish(SettingTable<FineTuneRequest> settings)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Run, "model")).Order(StringComparer.Ordinal))
        {
            ModelFolder.Copy(file, Path.Combine(output, Path.GetFileName(file)));
        }

        foreach (var name in new[] { "template.json", ChatTemplateFile.FileName })
        {
            if (Path.Combine(World, name) is var file && File.Exists(file))
            {
                ModelFolder.Copy(file, Path.Combine(output, name));
            }
        }

        // Else `auto` takes the chat template, which writes the same.
        if (!File.Exists(Path.Combine(output, ChatTemplateFile.FileName)))
        {
            TemplateRecord.Save(output, WorldTemplate.Of(new World(WorldNames.DialsOf(world))));
        }

        var made = Made(settings);
        OutputFile.WriteJson(Path.Combine(output, MadeBase.FileName), made);
        Terminal.Note(FormattableString.Invariant(
            $"{output}: a base model of seed {seed}, held-out loss {made.ValidationLoss:F4} after {made.Steps} steps."));
        if (Json)
        {
            Terminal.PrintDocument(new BaseResult(output, made));
        }

        if (made.Reached != false)
        {
            return ExitCode.Success;
        }

        Terminal.Note(FormattableString.Invariant(
            $"--until-loss {UntilLoss}: was not reached; {MadeBase.FileName} says so, and the base is no base of that loss."));
        return ExitCode.GateMissed;
    }

    private MadeBase Made(SettingTable<FineTuneRequest> settings)
    {
        var manifest = Manifest();
        var learned = File.ReadLines(Path.Combine(Run, "metrics.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        // The weights are those of the best validation.
        var loss = learned.Where(line => line["validation_loss"] is not null && line["step"]!.GetValue<int>() > 0)
            .Select(line => line["validation_loss"]!.GetValue<double>()).ToList();
        var held = UntilLoss is null ? loss[^1] : loss.Min();
        return new()
        {
            Command = $"{CommandOf(world, seed, init, UntilLoss)} --out {WorldNames.ModelOf(world)}",
            InstructionSet = CpuBackend.InstructionSet,
            Seed = seed,
            Dials = manifest.Dials,
            Text = new(
                manifest.PretrainingWords, learned.Sum(line => line["tokens"]?.GetValue<long>() ?? 0),
                ContentHash.OfFile(Text)),
            Training = settings.All
                .Where(e => e.Value.Source.StartsWith(RecipeName + ".yaml", StringComparison.Ordinal))
                .ToDictionary(e => e.Name, e => e.Value.Value),
            Steps = learned[^1]["step"]!.GetValue<int>(),
            ValidationLoss = held,
            UntilLoss = UntilLoss,
            Reached = UntilLoss is null ? null : held <= UntilLoss,
            Files = Directory.GetFiles(output)
                .Where(file => Path.GetFileName(file) is var name && name != MadeBase.FileName && name[0] != '.')
                .Order(StringComparer.Ordinal)
                .ToDictionary(file => Path.GetFileName(file), ContentHash.OfFile),
        };
    }
}
