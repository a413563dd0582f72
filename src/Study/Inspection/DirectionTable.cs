using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>Compares directions that were read.</summary>
/// <param name="reference">The arm that the others are compared with.</param>
/// <param name="sets">The prompts.</param>
internal sealed class DirectionTable(string reference, IReadOnlyList<DirectionSets> sets)
{
    /// <summary>Kept digits: further ones differ between vector widths.</summary>
    private const int Digits = 4;

    /// <summary>The arm that refuses most of the harmful prompts, the first of several; null where none refuses
    /// any.</summary>
    public static string? MostRefusing(IReadOnlyList<StudyReplicate> made, IReadOnlyList<DirectionSets> sets)
    {
        var asked = sets.SelectMany(set => set.Harmful).Select(p => p.Id).ToHashSet();
        return made.GroupBy(m => m.Replicate.Arm).Select(arm => (arm.Key, Refused: Refused(arm, asked) ?? 0))
            .Where(arm => arm.Refused > 0).OrderByDescending(arm => arm.Refused).FirstOrDefault().Key;
    }

    public IReadOnlyList<DirectionShape> Shapes(IReadOnlyList<ReadDirections> read) =>
    [
        .. read.GroupBy(r => (Blocks: r.Of.Values.First().Layers.Count - 1, Width: r.Of.Values.First().Size))
            .Select(shape => new DirectionShape(
                shape.Key.Blocks, shape.Key.Width, [.. shape.Select(r => r.Made.Replicate.Model).Distinct()],
                [.. Arms([.. shape])], [.. Cosines([.. shape])])),
    ];

    private IEnumerable<ArmDirection> Arms(IReadOnlyList<ReadDirections> shape) =>
        from set in sets
        from arm in shape.GroupBy(r => r.Made.Replicate.Arm)
        let layers = arm.Select(r => r.Of[set.Wording].Layers).ToList()
        select new ArmDirection(
            arm.Key, set.Wording,
            Refused(arm.Select(r => r.Made), set.Harmful.Select(p => p.Id).ToHashSet()),
            [.. layers[0].Select((_, l) => Rounded(layers.Average(of => Share(of[l]))))],
            [.. layers[0].Select((_, l) => layers.Average(of => of[l].Separation) is { } mean
                ? Rounded(mean) : (double?)null)]);

    private IEnumerable<DirectionCosines> Cosines(IReadOnlyList<ReadDirections> shape)
    {
        var arms = shape.GroupBy(r => r.Made.Replicate.Arm).ToList();
        var compared = shape.Where(r => r.Made.Replicate.Arm == reference)
            .ToDictionary(r => r.Made.Replicate.Model);
        foreach (var (arm, wording) in from set in sets from arm in arms select (arm, set.Wording))
        {
            var name = arm.Key;
            if (name != reference)
            {
                yield return Of(DirectionContrast.Arms, name, reference, wording,
                    [.. from r in arm
                        where compared.ContainsKey(r.Made.Replicate.Model)
                        select (r.Of[wording], compared[r.Made.Replicate.Model].Of[wording])]);
            }

            foreach (var other in sets.Select(set => set.Wording).TakeWhile(w => w != wording))
            {
                yield return Of(DirectionContrast.Wordings, name, other.ToString().ToLowerInvariant(), wording,
                    [.. arm.Select(r => (r.Of[wording], r.Of[other]))]);
            }

            yield return Of(DirectionContrast.Bases, name, null, wording,
                [.. arm.SelectMany((r, i) => arm.Skip(i + 1).Select(q => (r.Of[wording], q.Of[wording])))]);
        }
    }

    private static DirectionCosines Of(
        DirectionContrast contrast, string arm, string? with, PromptFormat wording,
        IReadOnlyList<(RefusalDirection One, RefusalDirection Other)> pairs)
    {
        var cosines = pairs.Select(pair => pair.One.CosinesWith(pair.Other, arm)).ToList();
        return new(contrast, arm, with, wording, pairs.Count,
            [.. (cosines.Count == 0 ? [] : cosines[0]).Select((_, l) => Range(cosines.Select(c => c[l])))]);
    }

    private static CosineRange? Range(IEnumerable<double?> cosines)
    {
        var known = cosines.OfType<double>().ToList();
        return known.Count == 0 ? null
            : new(Rounded(known.Average()), Rounded(known.Min()), Rounded(known.Max()));
    }

    /// <returns>The mean over bases; null where no answer was one.</returns>
    private static double? Refused(IEnumerable<StudyReplicate> made, HashSet<string> asked)
    {
        var answers = made.SelectMany(m => m.Answers).Where(a => asked.Contains(a.Prompt.Id) && !a.IsInvalid).ToList();
        return answers.Count == 0 ? null : Rounded(answers.Average(a => a.Refuses ? 1.0 : 0));
    }

    private static double Share(LayerDirection layer) => layer.StreamNorm == 0 ? 0 : layer.Norm / layer.StreamNorm;

    private static double Rounded(double value) => Math.Round(value, Digits) + 0.0;
}
