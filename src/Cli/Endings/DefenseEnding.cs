using SafeLlama.Training;

namespace SafeLlama.Cli.Endings;

/// <summary>What <c>train</c> says at the end of a run with a defense: it is untested until it is attacked.</summary>
internal static class DefenseEnding
{
    public static IEnumerable<string> Lines(FineTuneRequest request, string saved)
    {
        if (request.Defense.Count == 0)
        {
            yield break;
        }

        var model = request.Full ? $"--model {saved}" : $"--model {request.Model} --adapter {saved}";
        yield return $"defense {string.Join(", ", request.Defense)}: shows nothing until it is attacked, over a sweep "
            + "of the attack's own settings:";
        yield return $"  safellama attack {model} --suite SUITE --harmful-rows FILE --benign SUITE "
            + "--attacks wrappers prefill=1/3/5/10 harmful-rows=10x3@1e-4/100x3@1e-4/100x3@1e-3 "
            + $"--out {Path.GetDirectoryName(saved)}/attack";
    }
}
