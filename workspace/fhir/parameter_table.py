"""The table of search parameters (FHIR R4 §3.1.1 and each resource's own list), as text; `parameters` reads it.

Only what the platform uses. A choice element (``value[x]``) is written out as the JSON properties it may have.
"""

TABLE = """
Patient *birthdate
active token active
address string address
address-city string address.city
address-postalcode string address.postalCode
address-use token address.use
birthdate date birthDate
death-date date deceasedDateTime
deceased token deceasedBoolean|deceasedDateTime?|=false
email token telecom[system=email]
family string name.family
gender token gender
general-practitioner reference generalPractitioner @Organization,Practitioner,PractitionerRole
given string name.given
identifier token identifier
language token communication.language
link reference link.other @Patient,RelatedPerson
name string name
organization reference managingOrganization @Organization
phone token telecom[system=phone]
telecom token telecom

Practitioner
active token active
address string address
communication token communication
email token telecom[system=email]
family string name.family
gender token gender
given string name.given
identifier token identifier
name string name
phone token telecom[system=phone]
telecom token telecom

PractitionerRole *date
active token active
date date period
identifier token identifier
location reference location @Location
organization reference organization @Organization
practitioner reference practitioner @Practitioner
role token code
specialty token specialty
telecom token telecom

Organization
active token active
address string address
address-city string address.city
identifier token identifier
name string name|alias
partof reference partOf @Organization
type token type

Location
address string address
address-city string address.city
identifier token identifier
name string name|alias
operational-status token operationalStatus
organization reference managingOrganization @Organization
partof reference partOf @Location
status token status
type token type

Encounter *date
account reference account @Account
appointment reference appointment @Appointment
class token class
date date period
diagnosis reference diagnosis.condition @Condition,Procedure
episode-of-care reference episodeOfCare @EpisodeOfCare
identifier token identifier
length quantity length
location reference location.location @Location
location-period date location.period
part-of reference partOf @Encounter
participant reference participant.individual @Practitioner,PractitionerRole,RelatedPerson
participant-type token participant.type
patient reference subject @Patient
practitioner reference participant.individual @Practitioner
reason-code token reasonCode
reason-reference reference reasonReference @Condition,Observation,Procedure
service-provider reference serviceProvider @Organization
status token status
subject reference subject @Patient,Group
type token type

EpisodeOfCare *date
care-manager reference careManager @Practitioner,PractitionerRole
condition reference diagnosis.condition @Condition
date date period
identifier token identifier
organization reference managingOrganization @Organization
patient reference patient @Patient
status token status
type token type

Observation *date
based-on reference basedOn @CarePlan,MedicationRequest,NutritionOrder,ServiceRequest
category token category
code token code
combo-code token code|component.code
combo-value-concept token valueCodeableConcept|component.valueCodeableConcept
combo-value-quantity quantity valueQuantity|component.valueQuantity
component-code token component.code
component-value-concept token component.valueCodeableConcept
component-value-quantity quantity component.valueQuantity
data-absent-reason token dataAbsentReason
date date effectiveDateTime|effectivePeriod|effectiveInstant|effectiveTiming
derived-from reference derivedFrom @DocumentReference,Media,Observation,QuestionnaireResponse
encounter reference encounter @Encounter
focus reference focus
has-member reference hasMember @Observation,QuestionnaireResponse
identifier token identifier
method token method
part-of reference partOf @MedicationAdministration,MedicationStatement,Procedure
patient reference subject @Patient
performer reference performer @CareTeam,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
status token status
subject reference subject @Patient,Group,Device,Location
value-concept token valueCodeableConcept
value-date date valueDateTime|valuePeriod
value-quantity quantity valueQuantity
value-string string valueString|valueCodeableConcept.text

Condition *onset-date
abatement-date date abatementDateTime|abatementPeriod
abatement-string string abatementString
asserter reference asserter @Patient,Practitioner,PractitionerRole,RelatedPerson
body-site token bodySite
category token category
clinical-status token clinicalStatus
code token code
encounter reference encounter @Encounter
evidence token evidence.code
evidence-detail reference evidence.detail
identifier token identifier
onset-date date onsetDateTime|onsetPeriod
onset-info string onsetString
patient reference subject @Patient
recorded-date date recordedDate
severity token severity
stage token stage.summary
subject reference subject @Patient,Group
verification-status token verificationStatus

AllergyIntolerance *date
asserter reference asserter @Patient,Practitioner,PractitionerRole,RelatedPerson
category token category
clinical-status token clinicalStatus
code token code|reaction.substance
criticality token criticality
date date recordedDate
identifier token identifier
last-date date lastOccurrence
manifestation token reaction.manifestation
onset date reaction.onset
patient reference patient @Patient
recorder reference recorder @Patient,Practitioner,PractitionerRole,RelatedPerson
route token reaction.exposureRoute
severity token reaction.severity
type token type
verification-status token verificationStatus

MedicationRequest *authoredon
authoredon date authoredOn
category token category
code token medicationCodeableConcept
date date dosageInstruction.timing.event
encounter reference encounter @Encounter
identifier token identifier
intended-dispenser reference dispenseRequest.performer @Organization
intended-performer reference performer @CareTeam,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
intended-performertype token performerType
intent token intent
medication reference medicationReference @Medication
patient reference subject @Patient
priority token priority
requester reference requester @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
status token status
subject reference subject @Patient,Group

MedicationAdministration *effective-time
code token medicationCodeableConcept
context reference context @Encounter,EpisodeOfCare
effective-time date effectiveDateTime|effectivePeriod
identifier token identifier
medication reference medicationReference @Medication
patient reference subject @Patient
performer reference performer.actor @Patient,Practitioner,PractitionerRole,RelatedPerson
reason-given token reasonCode
reason-not-given token statusReason
request reference request @MedicationRequest
status token status
subject reference subject @Patient,Group

MedicationStatement *effective
category token category
code token medicationCodeableConcept
context reference context @Encounter,EpisodeOfCare
effective date effectiveDateTime|effectivePeriod
identifier token identifier
medication reference medicationReference @Medication
part-of reference partOf @MedicationAdministration,MedicationStatement,Procedure,Observation
patient reference subject @Patient
source reference informationSource @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
status token status
subject reference subject @Patient,Group

Medication
code token code
expiration-date date batch.expirationDate
form token form
identifier token identifier
ingredient reference ingredient.itemReference @Medication
ingredient-code token ingredient.itemCodeableConcept
lot-number token batch.lotNumber
manufacturer reference manufacturer @Organization
status token status

Composition *date
attester reference attester.party @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
author reference author @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
category token category
confidentiality token confidentiality
context token event.code
date date date
encounter reference encounter @Encounter
entry reference section.entry
identifier token identifier
patient reference subject @Patient
period date event.period
related-ref reference relatesTo.targetReference @Composition
section token section.code
status token status
subject reference subject
title string title
type token type

DocumentReference *date
authenticator reference authenticator @Organization,Practitioner,PractitionerRole
author reference author @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
category token category
contenttype token content.attachment.contentType
custodian reference custodian @Organization
date date date
description string description
encounter reference context.encounter @Encounter,EpisodeOfCare
event token context.event
facility token context.facilityType
identifier token masterIdentifier|identifier
patient reference subject @Patient
period date context.period
related reference context.related
relatesto reference relatesTo.target @DocumentReference
security-label token securityLabel
setting token context.practiceSetting
status token status
subject reference subject @Patient,Practitioner,Group
type token type

Flag *date
author reference author @Organization,Patient,Practitioner,PractitionerRole
date date period
encounter reference encounter @Encounter
identifier token identifier
patient reference subject @Patient
status token status
subject reference subject @Group,Location,Medication,Organization,Patient,Practitioner,Procedure

Task *authored-on
authored-on date authoredOn
based-on reference basedOn
business-status token businessStatus
code token code
encounter reference encounter @Encounter
focus reference focus
group-identifier token groupIdentifier
identifier token identifier
intent token intent
modified date lastModified
owner reference owner @CareTeam,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
part-of reference partOf @Task
patient reference for @Patient
performer token performerType
period date executionPeriod
priority token priority
requester reference requester @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
status token status
subject reference for

Communication *sent
based-on reference basedOn
category token category
encounter reference encounter @Encounter
identifier token identifier
medium token medium
part-of reference partOf
patient reference subject @Patient
received date received
recipient reference recipient @CareTeam,Group,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
sender reference sender @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
sent date sent
status token status
subject reference subject @Patient,Group

CarePlan *date
activity-code token activity.detail.code
activity-date date activity.detail.scheduledTiming|activity.detail.scheduledPeriod
activity-reference reference activity.reference
based-on reference basedOn @CarePlan
care-team reference careTeam @CareTeam
category token category
condition reference addresses @Condition
date date period
encounter reference encounter @Encounter
goal reference goal @Goal
identifier token identifier
intent token intent
part-of reference partOf @CarePlan
patient reference subject @Patient
performer reference activity.detail.performer
replaces reference replaces @CarePlan
status token status
subject reference subject @Patient,Group

Goal *start-date
achievement-status token achievementStatus
category token category
identifier token identifier
lifecycle-status token lifecycleStatus
patient reference subject @Patient
start-date date startDate
subject reference subject @Patient,Group,Organization
target-date date target.dueDate

CareTeam *date
category token category
date date period
encounter reference encounter @Encounter
identifier token identifier
participant reference participant.member @CareTeam,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
patient reference subject @Patient
status token status
subject reference subject @Patient,Group

Provenance *recorded
agent reference agent.who @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
agent-role token agent.role
agent-type token agent.type
entity reference entity.what
location reference location @Location
patient reference target @Patient
recorded date recorded
signature-type token signature.type
target reference target
when date occurredDateTime|occurredPeriod

AuditEvent *date
action token action
address string agent.network.address
agent reference agent.who @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
agent-name string agent.name
agent-role token agent.role
altid token agent.altId
date date recorded
entity reference entity.what
entity-name string entity.name
entity-role token entity.role
entity-type token entity.type
outcome token outcome
patient reference agent.who|entity.what @Patient
policy uri agent.policy
site token source.site
source reference source.observer @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
subtype token subtype
type token type

RelatedPerson
active token active
address string address
birthdate date birthDate
email token telecom[system=email]
gender token gender
identifier token identifier
name string name
patient reference patient @Patient
phone token telecom[system=phone]
relationship token relationship
telecom token telecom

Consent *date
action token provision.action
actor reference provision.actor.reference @CareTeam,Group,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
category token category
consentor reference performer @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
data reference provision.data.reference
date date dateTime
identifier token identifier
organization reference organization @Organization
patient reference patient @Patient
period date provision.period
purpose token provision.purpose
scope token scope
security-label token provision.securityLabel
source-reference reference sourceReference @Consent,Contract,DocumentReference,QuestionnaireResponse
status token status

Questionnaire *date
code token item.code
context-type-value token useContext.code
date date date
description string description
effective date effectivePeriod
identifier token identifier
name string name
publisher string publisher
status token status
subject-type token subjectType
title string title
url uri url
version token version

QuestionnaireResponse *authored
author reference author @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
authored date authored
based-on reference basedOn @CarePlan,ServiceRequest
encounter reference encounter @Encounter
identifier token identifier
part-of reference partOf @Observation,Procedure
patient reference subject @Patient
questionnaire uri questionnaire
source reference source @Patient,Practitioner,PractitionerRole,RelatedPerson
status token status
subject reference subject

DiagnosticReport *date
based-on reference basedOn @CarePlan,MedicationRequest,NutritionOrder,ServiceRequest
category token category
code token code
conclusion token conclusionCode
date date effectiveDateTime|effectivePeriod
encounter reference encounter @Encounter
identifier token identifier
issued date issued
media reference media.link @Media
patient reference subject @Patient
performer reference performer @CareTeam,Organization,Practitioner,PractitionerRole
result reference result @Observation
results-interpreter reference resultsInterpreter @CareTeam,Organization,Practitioner,PractitionerRole
status token status
subject reference subject @Patient,Group,Device,Location

ServiceRequest *authored
authored date authoredOn
based-on reference basedOn @CarePlan,MedicationRequest,ServiceRequest
body-site token bodySite
category token category
code token code
encounter reference encounter @Encounter
identifier token identifier
intent token intent
occurrence date occurrenceDateTime|occurrencePeriod|occurrenceTiming
patient reference subject @Patient
performer reference performer @CareTeam,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
performer-type token performerType
priority token priority
replaces reference replaces @ServiceRequest
requester reference requester @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
requisition token requisition
status token status
subject reference subject @Patient,Group,Device,Location

Procedure *date
based-on reference basedOn @CarePlan,ServiceRequest
category token category
code token code
date date performedDateTime|performedPeriod
encounter reference encounter @Encounter
identifier token identifier
location reference location @Location
part-of reference partOf @MedicationAdministration,Observation,Procedure
patient reference subject @Patient
performer reference performer.actor @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
reason-code token reasonCode
reason-reference reference reasonReference @Condition,DiagnosticReport,DocumentReference,Observation,Procedure
status token status
subject reference subject @Patient,Group

Appointment *date
actor reference participant.actor @Location,Patient,Practitioner,PractitionerRole,RelatedPerson
appointment-type token appointmentType
based-on reference basedOn @ServiceRequest
date date start
identifier token identifier
location reference participant.actor @Location
part-status token participant.status
patient reference participant.actor @Patient
practitioner reference participant.actor @Practitioner
reason-code token reasonCode
reason-reference reference reasonReference @Condition,Observation,Procedure
service-category token serviceCategory
service-type token serviceType
specialty token specialty
status token status

NutritionOrder *datetime
additive token enteralFormula.additiveType
datetime date dateTime
encounter reference encounter @Encounter
formula token enteralFormula.baseFormulaType
identifier token identifier
oraldiet token oralDiet.type
patient reference patient @Patient
provider reference orderer @Practitioner,PractitionerRole
status token status
supplement token supplement.type

Media *created
based-on reference basedOn @CarePlan,ServiceRequest
created date createdDateTime|createdPeriod
encounter reference encounter @Encounter
identifier token identifier
modality token modality
operator reference operator @CareTeam,Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
patient reference subject @Patient
site token bodySite
status token status
subject reference subject @Group,Location,Patient,Practitioner,PractitionerRole
type token type
view token view

Basic *created
author reference author @Organization,Patient,Practitioner,PractitionerRole,RelatedPerson
code token code
created date created
identifier token identifier
patient reference subject @Patient
subject reference subject

DetectedIssue *identified
author reference author @Practitioner,PractitionerRole,Device
code token code
identified date identifiedDateTime|identifiedPeriod
identifier token identifier
implicated reference implicated
patient reference patient @Patient

Immunization *date
date date occurrenceDateTime
identifier token identifier
location reference location @Location
lot-number string lotNumber
patient reference patient @Patient
performer reference performer.actor @Organization,Practitioner,PractitionerRole
status token status
vaccine-code token vaccineCode
"""
