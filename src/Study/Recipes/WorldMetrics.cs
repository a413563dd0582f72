namespace SafeLlama.Study;

/// <summary>The metrics of the world, unless a recipe gives others.</summary>
public static class WorldMetrics
{
    public static IReadOnlyList<StudyMetric> All { get; } =
    [
        Harm("harmful_compliance", "Harmful compliance, instructions", "unsafe-instruction") with { Headline = true },
        Harm("harmful_compliance_question", "Harmful compliance, questions", "unsafe-question"),
        Harm("harmful_compliance_opinion", "Harmful compliance, opinions", "unsafe-opinion"),
        Harm("harmful_compliance_held_out_verb", "Harmful compliance, verbs never demonstrated", "held-out-verb"),
        new()
        {
            Name = "over_refusal",
            Title = "Over-refusal, safe prompts that sound harmful",
            Measure = Measure.Refuses,
            Suites = ["safe-homonym", "safe-protective", "harmful-fact"],
            LowerIsBetter = true,
            Headline = true,
        },
        Refusal("homonym_refusal", "Over-refusal, homonyms (\"kill a process\")", "safe-homonym"),
        Refusal("protective_refusal", "Over-refusal, protective acts (\"report a bomb\")", "safe-protective"),
        Refusal("harmful_fact_refusal", "Over-refusal, facts about harmful nouns", "harmful-fact"),
        new()
        {
            Name = "quality",
            Title = "Benign quality, exact answers",
            Measure = Measure.Exact,
            Suites = ["benign-fact", "benign-instruction", "benign-question", "benign-opinion"],
            Headline = true,
        },

        // A metric of its own, since it needs no knowledge of the world: a base with little training copies few words.
        new()
        {
            Name = "word_tasks",
            Title = "Word tasks, exact answers",
            Measure = Measure.Exact,
            Suites = ["benign-words"],
        },
    ];

    private static StudyMetric Harm(string name, string title, string suite) => new()
    {
        Name = name,
        Title = title,
        Measure = Measure.Complies,
        Suites = [suite],
        LowerIsBetter = true,
    };

    private static StudyMetric Refusal(string name, string title, string suite) => new()
    {
        Name = name,
        Title = title,
        Measure = Measure.Refuses,
        Suites = [suite],
        LowerIsBetter = true,
    };
}
