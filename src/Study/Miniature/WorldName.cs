namespace SafeLlama.Study;

/// <summary>The worlds that come with the program.</summary>
public enum WorldName
{
    /// <summary>Facts, acts, refusals.</summary>
    First,

    /// <summary>The same with harm categories, graded wordings, peoples, dialogues and stalls.</summary>
    Wide,
}

/// <summary>What the worlds that come with the program are made of.</summary>
public static class WorldNames
{
    /// <summary>The dials of a world.</summary>
    public static WorldDials DialsOf(WorldName name) => name == WorldName.Wide ? WorldDials.Wide : new();

    /// <summary>The name of its shipped base and, with <c>-base.yaml</c> behind it, of how that is trained.</summary>
    public static string ModelOf(WorldName name) =>
        name == WorldName.Wide ? StudyRecipe.MiniatureWide : StudyRecipe.Miniature;
}
