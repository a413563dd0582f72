using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The world that a base model has read, as its <c>made.json</c> records it.</summary>
public static class BaseWorld
{
    private const string FileName = "made.json";

    /// <summary>The most tokens of a row of the wider world: eight earlier turns, a request and its answer.</summary>
    private const int WideRow = 256;

    /// <summary>The dials of a base's world; null for a model of another origin.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <exception cref="SafeLlamaException">The file is broken.</exception>
    public static WorldDials? Of(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            return null;
        }

        return Read(file).Dials;
    }

    /// <summary>The base's loss on held-out text, in nats per token; null where it is not recorded.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <exception cref="SafeLlamaException">The file is broken.</exception>
    public static double? LossOf(string folder)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file) ? Read(file).ValidationLoss : null;
    }

    private static Made Read(string file) => JsonRecord.Parse<Made>(
        FileErrors.Reading(file, () => File.ReadAllBytes(file)), file, "does not record a base of the study",
        MadeJson, then: "Make the base again.");

    /// <summary>Its other fields are for people.</summary>
    private static readonly JsonSerializerOptions MadeJson = new(StudyJson.Document)
    {
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip,
    };

    private sealed record Made
    {
        public WorldDials? Dials { get; init; }

        public double? ValidationLoss { get; init; }
    }

    /// <summary>
    /// The recipe in the world that its bases have read: their seed and kinds of text, with the recipe's own shares of
    /// tuning rows. Rows of the wider world are never cut.
    /// </summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="folderOf">The folder of a model's name.</param>
    /// <exception cref="SafeLlamaException">
    /// The bases have read different worlds, or one has never read a kind of text that the recipe asks for.
    /// </exception>
    public static StudyRecipe Bind(StudyRecipe recipe, Func<string, string> folderOf)
    {
        if (recipe.Data.UsesFiles)
        {
            return recipe;
        }

        var asked = recipe.Data.World ?? new WorldDials();
        WorldDials? read = null;
        foreach (var model in recipe.Models)
        {
            if (Of(folderOf(model)) is not { } world)
            {
                continue;
            }

            if (read is not null && (world.Seed, world.Wider) != (read.Seed, read.Wider))
            {
                throw SafeLlamaException.Usage(
                    $"models: {model} and {recipe.Models[0]} have read different worlds, and every model is asked the "
                    + "same prompts.", "run one study for each world");
            }

            MustHaveRead(world, asked, recipe, model);
            read = world;
        }

        if (read is null && WorldNeeds.Of(recipe).FirstOrDefault() is { } unread && asked.Wider is null)
        {
            throw SafeLlamaException.Usage($"{unread}, and data.world is the first world.", WayOut);
        }

        var bound = read is null ? asked : asked with { Seed = read.Seed, Wider = read.Wider };
        return recipe with
        {
            BaseLosses = recipe.Evidence?.BaseLossWithin is null ? null
                : recipe.Models.ToDictionary(model => model, model => LossOf(folderOf(model))),
            Data = recipe.Data with { World = recipe.Data.World is null && bound.Wider is null ? null : bound },
            Training = bound.Wider is null
                ? recipe.Training
                : recipe.Training with { MaxLength = Math.Max(WideRow, recipe.Training.MaxLength) },
        };
    }

    private const string WayOut =
        "name a base of the wider world in `models`, such as miniature-wide; `study base` makes one from a seed";

    private static void MustHaveRead(WorldDials world, WorldDials asked, StudyRecipe recipe, string model)
    {
        if (asked.Seed != world.Seed && asked.Seed != new WorldDials().Seed)
        {
            throw SafeLlamaException.Usage(
                $"data.world: seed is {asked.Seed}, and {model} has read the world of seed {world.Seed}.",
                "leave it out");
        }

        if (world.Wider is null && (asked.Wider is null
            ? WorldNeeds.Of(recipe).FirstOrDefault()
            : "data.world: wider is given") is { } need)
        {
            throw SafeLlamaException.Usage($"{need}, and {model} has read the first world alone.", WayOut);
        }

        foreach (var (dial, usual, had) in OfTexts(asked).Zip(OfTexts(new WorldDials()), OfTexts(world)))
        {
            if (dial != usual && dial != had)
            {
                throw SafeLlamaException.Usage(
                    FormattableString.Invariant($"data.world: {dial.Name} is {dial.Value}, which decides what a base ")
                    + FormattableString.Invariant($"reads, and {model} was made with {had.Value}."), "leave it out");
            }
        }

        if (asked.Wider is { } wider && wider != world.Wider)
        {
            throw SafeLlamaException.Usage(
                $"data.world: wider is not what {model} has read.", "leave it out; the base says what it is");
        }
    }

    /// <summary>The dials of the texts that a base reads; the others are of tuning rows.</summary>
    private static IEnumerable<(string Name, double Value)> OfTexts(WorldDials dials) =>
    [
        ("pretraining_tokens", dials.PretrainingTokens),
        ("safe_scary_texts", dials.SafeScaryTexts),
        ("protective_texts", dials.ProtectiveTexts),
        ("safe_pair_coverage", dials.SafePairCoverage),
    ];
}
