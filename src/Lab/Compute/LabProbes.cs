using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>Prompts of the world that rooms ask again and again while something changes, twenty of a kind.</summary>
internal static class LabProbes
{
    private const int OfAKind = 20;

    public static IEnumerable<StudyPrompt> Unsafe(WorldSource world) => Of(world, p => p.Suite == "unsafe-instruction");

    public static IEnumerable<StudyPrompt> Benign(WorldSource world) =>
        Of(world, p => p.Suite is "benign-instruction" or "benign-question");

    /// <summary>Spread over the suite: neighbors are wordings of one act.</summary>
    public static IEnumerable<StudyPrompt> Of(WorldSource world, Func<StudyPrompt, bool> fits)
    {
        var all = world.Prompts.Where(fits).ToList();
        return Enumerable.Range(0, OfAKind).Select(i => all[i * all.Count / OfAKind]);
    }
}
