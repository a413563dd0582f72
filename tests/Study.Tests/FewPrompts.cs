using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

/// <summary>A source with every n-th of its prompts, so that a test takes seconds.</summary>
internal sealed class FewPrompts(IStudySource all, int every) : IStudySource
{
    public PromptTemplate Template => all.Template;

    public int BenignCount => all.BenignCount;

    public IReadOnlyList<TrainingExample> Demonstrations(StudyArm arm, long seed) => all.Demonstrations(arm, seed);

    public IReadOnlyList<StudyPrompt> Prompts { get; } = [.. all.Prompts.Where((_, i) => i % every == 0)];

    public LessonPlan Lesson => all.Lesson;

    public IReadOnlyList<TrainingExample> Examples(StudyArm arm, long seed) => all.Examples(arm, seed);

    public IReadOnlyList<PreferenceRow> Preferences(StudyArm arm, long seed) => all.Preferences(arm, seed);

    public IJudge Judge => all.Judge;

    public IReadOnlyDictionary<string, string> Describe() => all.Describe();
}
