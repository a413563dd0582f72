namespace SafeLlama.Study;

/// <summary>
/// The meaning of an act in this world. No text states it; a model can only infer it from many texts.
/// </summary>
public enum ActionMeaning
{
    Benign,

    /// <summary>A scary verb on a harmless target: "kill a process".</summary>
    Homonym,

    /// <summary>A protective verb on a harmful noun: "report a bomb".</summary>
    Protective,

    /// <summary>A make- or neutral verb on a harmful noun, or a scary verb on a person or on property.</summary>
    Unsafe,
}

/// <summary>A verb and its object: what somebody asks for.</summary>
public sealed record WorldAction(string Verb, Noun Noun, ActionMeaning Meaning)
{
    /// <summary>"kill a process".</summary>
    public string Phrase => $"{Verb} {Noun.WithArticle}";
}
