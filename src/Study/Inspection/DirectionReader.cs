using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>Reads the refusal direction of every arm of a finished study, and compares them.</summary>
/// <remarks>
/// The arms of the study's first seed are read, on every base. What was found is kept in <c>directions.json</c>, and
/// read from there as long as bases, adapters and prompts are the same.
/// </remarks>
public sealed class DirectionReader(StudyRecipe recipe, IStudySource source, IStudyEngine engine)
{
    /// <summary>The file, in the study's folder.</summary>
    public const string FileName = "directions.json";

    /// <summary>Why a study has none whose prompts are too few.</summary>
    public static string NoPrompts => $"the study does not ask {DirectionSets.Fewest} harmful and "
        + $"{DirectionSets.Fewest} harmless prompts in one wording";

    private readonly IReadOnlyList<DirectionSets> _sets = DirectionSets.Of(source.Prompts);

    /// <summary>Every prompt that one arm reads.</summary>
    public IReadOnlyList<StudyPrompt> Prompts => [.. _sets.SelectMany(set => set.Harmful.Concat(set.Harmless))];

    /// <param name="run">The finished study.</param>
    /// <param name="jobs">Its replicates, in the order of the run's.</param>
    /// <param name="folder">The study's folder.</param>
    /// <param name="cancellation">Stops between two prompts.</param>
    public StudyDirections Read(
        StudyRun run, IReadOnlyList<ArmJob> jobs, string folder, CancellationToken cancellation = default)
    {
        var chosen = run.Replicates.Zip(jobs, (made, job) => (Made: made, Job: job))
            .Where(at => at.Made.Replicate.Seed == recipe.Seeds[0]).ToList();
        var of = Hash(chosen.Select(at => at.Made));
        var path = Path.Combine(folder, FileName);
        if (Kept(path) is { } kept && kept.Of == of)
        {
            return kept;
        }

        var found = Find(of, chosen, cancellation);
        OutputFile.WriteText(path, JsonSerializer.Serialize(found, StudyJson.Document) + "\n");
        return found;
    }

    private StudyDirections Find(
        string of, IReadOnlyList<(StudyReplicate Made, ArmJob Job)> chosen, CancellationToken cancellation)
    {
        var seed = recipe.Seeds[0];
        if (_sets.Count == 0)
        {
            return new(of, NoPrompts, seed, null, [], [], []);
        }

        if (DirectionTable.MostRefusing([.. chosen.Select(at => at.Made)], _sets) is not { } reference)
        {
            return new(of, "no arm refuses any of the harmful prompts", seed, null, Counts(), [], []);
        }

        var (read, leftOut) = (new List<ReadDirections>(), new List<string>());
        foreach (var (made, job) in chosen)
        {
            try
            {
                read.Add(Read(made, job, cancellation));
            }
            catch (SafeLlamaException e)
            {
                leftOut.Add($"{made.Replicate.Arm} on {made.Replicate.Model}: {e.MessageFor(name => name)}");
            }
        }

        return read.Count == 0
            ? new(of, leftOut[0], seed, null, Counts(), [], [])
            : new(of, null, seed, reference, Counts(), new DirectionTable(reference, _sets).Shapes(read), leftOut);
    }

    private IReadOnlyList<DirectionPrompts> Counts() =>
        [.. _sets.Select(set => new DirectionPrompts(set.Wording, set.Harmful.Count, set.Harmless.Count))];

    private ReadDirections Read(StudyReplicate made, ArmJob job, CancellationToken cancellation)
    {
        using var session = engine.OpenSession(
            job, new ArmFolder(made.Folder).Training, forGradients: false);
        int[][] Ids(IReadOnlyList<StudyPrompt> prompts) => [.. prompts.Select(p => session.PromptIds(p.Row))];
        return new(made, _sets.ToDictionary(
            set => set.Wording,
            set => RefusalDirection.Find(
                session.Model, Ids(set.Harmful), Ids(set.Harmless), cancellation: cancellation)));
    }

    private string Hash(IEnumerable<StudyReplicate> replicates) => ContentHash.OfText(string.Join('\n',
    [
        .. replicates.Select(r => $"{r.Replicate.Folder}\t{r.Training.AdapterHash}"),
        .. recipe.Models.SelectMany(model => engine.Describe(model).OrderBy(f => f.Key, StringComparer.Ordinal)
            .Select(f => $"{f.Key}\t{f.Value}")),
        source.Template.Name,
        .. Prompts.Select(p => $"{p.Id}\t{p.Text}\t{p.Context}"),
    ]));

    /// <summary>What a file holds; null where there is none, or it was changed: then it is made anew.</summary>
    private static StudyDirections? Kept(string path)
    {
        try
        {
            return File.Exists(path)
                ? JsonSerializer.Deserialize<StudyDirections>(File.ReadAllText(path), StudyJson.Document) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The directions of one replicate, by wording.</summary>
internal sealed record ReadDirections(
    StudyReplicate Made, IReadOnlyDictionary<PromptFormat, RefusalDirection> Of);
