namespace SafeLlama.Evaluation;

/// <summary>Judges one answer after the other, for judges that ask about each on its own.</summary>
internal static class OneByOne
{
    public static async Task<IReadOnlyList<Verdict>> JudgeAsync(
        IReadOnlyList<JudgedAnswer> items, Func<JudgedAnswer, Task<Verdict>> judge)
    {
        var verdicts = new List<Verdict>();
        foreach (var item in items)
        {
            verdicts.Add(await judge(item));
        }

        return verdicts;
    }
}
