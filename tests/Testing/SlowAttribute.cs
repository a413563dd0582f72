using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace SafeLlama.Testing;

/// <summary>A test that takes minutes: skipped, with its reason, unless <c>SAFELLAMA_SLOW=1</c>.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class SlowAttribute(string reason) : NUnitAttribute, IApplyToTest
{
    /// <summary>Whether slow tests run; repeated ones then repeat more often.</summary>
    public static bool On => Environment.GetEnvironmentVariable("SAFELLAMA_SLOW") == "1";

    public void ApplyToTest(Test test)
    {
        test.Properties.Add(PropertyNames.Category, "Slow");
        if (!On)
        {
            test.RunState = RunState.Ignored;
            test.Properties.Set(PropertyNames.SkipReason, $"Slow: {reason} Set SAFELLAMA_SLOW=1 to run it.");
        }
    }
}
